import { useMemo, useState } from "react";

import { QuoteRenewalDocument } from "../api/generated/graphql";
import { useTexts } from "../i18n/useLanguage";
import { DurationChoice } from "./DurationChoice";
import { toSelectionArguments, type OperationDialogProps } from "./operations";
import { PaymentDialog } from "./PaymentDialog";
import { useDiscounts } from "./useDiscounts";
import { usePayment } from "./usePayment";
import { useQuote } from "./useQuote";

/** Renew the instances by a number of months (续费). */
export function RenewDialog(props: OperationDialogProps) {
  const texts = useTexts().payment;
  const [months, setMonths] = useState(1);
  const process = usePayment(props.onDone);
  const input = useMemo(() => ({ ...toSelectionArguments(props.target), months }), [props.target, months]);
  const quote = useQuote(QuoteRenewalDocument, input, { isChosen: true, phase: process.state.phase });
  const discountsOf = useDiscounts(props.target, quote.quote);
  return (
    <PaymentDialog
      {...props}
      title={texts.renewTitle}
      process={process}
      quote={quote}
      build={(agreement) => ({ kind: "RENEW", input: { ...input, ...agreement } })}
    >
      <DurationChoice
        months={months}
        discountsOf={discountsOf}
        onChange={(value) => {
          setMonths(value);
          quote.setPage(1);
        }}
      />
    </PaymentDialog>
  );
}
