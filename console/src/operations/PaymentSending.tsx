import { Flex, Spin, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import type { Payment } from "./payment";

interface PaymentSendingProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly payment: Payment;
  readonly lostCount: number;
}

/** Show that a payment waits for its response. Once a response was lost, the dialog can be closed. */
export function PaymentSending({ payment, lostCount, ...frame }: PaymentSendingProps) {
  const texts = useTexts().payment;
  const format = useFormat();
  const isLost = lostCount > 0;
  return (
    <DialogFrame {...frame} isClosable={isLost} footer={null}>
      <Flex vertical align="center" gap="small" className="dialog-progress" role="status">
        <Spin size="large" />
        <Typography.Text strong>{isLost ? texts.confirming : texts.paying}</Typography.Text>
        <Typography.Text type="secondary">
          {isLost
            ? texts.confirmingHint(lostCount)
            : texts.payingHint(format.count(payment.count), format.money(payment.total))}
        </Typography.Text>
      </Flex>
    </DialogFrame>
  );
}
