import { Button, Flex, Result } from "antd";

import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import type { Payment } from "./payment";
import type { PaymentProcess } from "./usePayment";

interface PaymentPendingProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly payment: Payment;
  readonly process: PaymentProcess;
  /** Called when the customer does without the result. */
  readonly onForget: () => void;
}

/** Ask for the result of an earlier payment before another one is made. */
export function PaymentPending({ payment, process, onForget, ...frame }: PaymentPendingProps) {
  const texts = useTexts();
  const format = useFormat();
  const kind = texts.operations.kinds[payment.request.kind];
  const footer = (
    <Flex justify="end" gap="small" wrap>
      <Button onClick={onForget}>{texts.payment.forget}</Button>
      <Button type="primary" autoFocus onClick={process.confirm}>
        {texts.payment.confirm}
      </Button>
    </Flex>
  );
  return (
    <DialogFrame {...frame} isClosable footer={footer}>
      <Result
        status="warning"
        title={texts.payment.pending}
        subTitle={texts.payment.pendingHint(kind, format.count(payment.count), format.money(payment.total))}
      />
    </DialogFrame>
  );
}
