import { useMemo, useState } from "react";

import { QuoteUnifyExpiryDocument } from "../api/generated/graphql";
import { useTexts } from "../i18n/useLanguage";
import { toSelectionArguments, type OperationDialogProps } from "./operations";
import { PaymentDialog } from "./PaymentDialog";
import { INITIAL_TARGET, toUnifyTarget, type TargetChoice } from "./unifyTarget";
import { UnifyTargetChoice } from "./UnifyTargetChoice";
import { usePayment } from "./usePayment";
import { useQuote } from "./useQuote";

/** Let the instances expire on the same day (统一到期时间). */
export function UnifyDialog(props: OperationDialogProps) {
  const texts = useTexts().payment;
  const [choice, setChoice] = useState<TargetChoice>(INITIAL_TARGET);
  const process = usePayment(props.onDone);
  const target = useMemo(() => toUnifyTarget(choice), [choice]);
  const input = useMemo(
    // Without a date nothing is asked; the type needs a target all the same.
    () => ({ ...toSelectionArguments(props.target), target: target ?? { dayOfMonth: 1 } }),
    [props.target, target],
  );
  const quote = useQuote(QuoteUnifyExpiryDocument, input, {
    isChosen: target !== null,
    phase: process.state.phase,
  });
  return (
    <PaymentDialog
      {...props}
      title={texts.unifyTitle}
      process={process}
      quote={quote}
      build={(agreement) => ({ kind: "UNIFY", input: { ...input, ...agreement } })}
    >
      <UnifyTargetChoice
        choice={choice}
        onChange={(value) => {
          setChoice(value);
          quote.setPage(1);
        }}
      />
    </PaymentDialog>
  );
}
