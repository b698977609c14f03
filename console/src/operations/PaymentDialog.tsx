import type { ReactNode } from "react";

import type { OperationDialogProps } from "./operations";
import type { Agreement, PaymentRequest } from "./payment";
import { PaymentForm } from "./PaymentForm";
import { PaymentDone } from "./PaymentDone";
import { PaymentPending } from "./PaymentPending";
import { PaymentSending } from "./PaymentSending";
import type { PaymentProcess } from "./usePayment";
import type { Quote } from "./useQuote";

export interface PaymentDialogProps extends OperationDialogProps {
  readonly title: string;
  readonly process: PaymentProcess;
  readonly quote: Quote;
  /** Add the agreement to what was chosen. */
  readonly build: (agreement: Agreement) => PaymentRequest;
  /** The choice of a duration or of a date. */
  readonly children: ReactNode;
}

/** A dialog in which the customer pays: the choice and its quote, then the payment, then its result. */
export function PaymentDialog(props: PaymentDialogProps) {
  const { process, title, isOpen, onClose, afterClose } = props;
  const { state } = process;
  const frame = { title, isOpen, onClose, afterClose };
  switch (state.phase) {
    case "editing":
      return <PaymentForm {...props} problem={state.problem} />;
    case "pending":
      return (
        <PaymentPending {...frame} payment={state.payment} process={process} onForget={process.restart} />
      );
    case "sending":
      return <PaymentSending {...frame} payment={state.payment} lostCount={state.lostCount} />;
    case "done":
      return <PaymentDone {...frame} result={state.result} process={process} />;
  }
}
