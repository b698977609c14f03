import { Flex, Spin, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import type { Payment } from "./payment";

interface PaymentConfirmingProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly payment: Payment;
  readonly lostCount: number;
}

/** The time between the payment and its answer. Once an answer was lost, the dialog may be closed. */
export function PaymentConfirming({ payment, lostCount, ...frame }: PaymentConfirmingProps) {
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
