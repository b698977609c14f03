import { Alert } from "antd";

import { ErrorAlert } from "../components/ErrorAlert";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import type { PaymentProblem, PaymentRefusal } from "./payment";
import { RefusalAlert } from "./RefusalAlert";

interface PaymentProblemAlertProps {
  readonly problem: PaymentProblem;
  /** Whether it is the problem of a payment that an earlier dialog began. */
  readonly isEarlier: boolean;
}

/** Say why nothing was paid, and what to do now. */
export function PaymentProblemAlert({ problem, isEarlier }: PaymentProblemAlertProps) {
  const texts = useTexts().payment;
  return (
    <>
      {isEarlier && <Alert type="info" showIcon title={texts.earlierNotPaid} />}
      {problem.kind === "notDone" ? (
        <ErrorAlert error={problem.error} />
      ) : (
        <RefusedPayment refusal={problem.refusal} />
      )}
    </>
  );
}

function RefusedPayment({ refusal }: { readonly refusal: PaymentRefusal }) {
  const texts = useTexts().payment;
  const format = useFormat();
  switch (refusal.__typename) {
    case "PriceChanged":
      return (
        <Alert
          type="warning"
          role="alert"
          showIcon
          title={texts.priceChanged(format.money(refusal.expectedTotal), format.money(refusal.total))}
        />
      );
    case "InsufficientFunds":
      return (
        <Alert
          type="error"
          role="alert"
          showIcon
          title={texts.insufficient(format.money(refusal.required), format.money(refusal.available))}
          description={texts.topUp(format.money(refusal.shortfall))}
        />
      );
    case "NotRenewable":
      return (
        <RefusalAlert
          title={texts.refused(format.count(refusal.refusalCount))}
          refusals={refusal.refusals}
          count={refusal.refusalCount}
        />
      );
    default:
      return <Alert type="error" role="alert" showIcon title={refusal.message} />;
  }
}
