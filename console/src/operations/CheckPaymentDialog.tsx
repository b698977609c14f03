import { Button, Flex } from "antd";

import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import { PaymentDone } from "./PaymentDone";
import { PaymentPending } from "./PaymentPending";
import { PaymentProblemAlert } from "./PaymentProblemAlert";
import { PaymentSending } from "./PaymentSending";
import { usePayment } from "./usePayment";

/** Ask for the result of a payment whose answer was lost. No other operation follows. */
export function CheckPaymentDialog(props: OperationDialogProps) {
  const texts = useTexts();
  const process = usePayment(undefined);
  const { isOpen, onClose, afterClose } = props;
  const frame = { title: texts.operations.kinds.CHECK_PAYMENT, isOpen, onClose, afterClose };
  const { state } = process;
  switch (state.phase) {
    case "pending": {
      const forget = () => {
        process.forget();
        onClose();
      };
      return <PaymentPending {...frame} payment={state.payment} process={process} onForget={forget} />;
    }
    case "sending":
      return <PaymentSending {...frame} payment={state.payment} lostCount={state.lostCount} />;
    case "done":
      return <PaymentDone {...frame} result={state.result} process={process} canGoOn={false} />;
    case "editing": {
      const finish = (
        <Button type="primary" autoFocus onClick={onClose}>
          {texts.operations.finish}
        </Button>
      );
      return (
        <DialogFrame {...frame} isClosable footer={finish}>
          <Flex vertical gap="middle">
            {state.problem && <PaymentProblemAlert problem={state.problem} isEarlier />}
          </Flex>
        </DialogFrame>
      );
    }
  }
}
