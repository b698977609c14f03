import { Checkbox } from "antd";

import type { PaymentQuoteFragment } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { RefusalAlert } from "./RefusalAlert";

interface QuoteRefusalsProps {
  readonly quote: PaymentQuoteFragment;
  readonly isPartial: boolean;
  readonly onPartialChange: (isPartial: boolean) => void;
}

/** The instances that cannot be paid for, and whether to pay for the others alone. */
export function QuoteRefusals({ quote, isPartial, onPartialChange }: QuoteRefusalsProps) {
  const texts = useTexts().payment;
  const format = useFormat();
  const { refusals, refusalCount, lineCount } = quote;
  return (
    <RefusalAlert title={texts.refused(format.count(refusalCount))} refusals={refusals} count={refusalCount}>
      {lineCount > 0 && (
        <Checkbox
          checked={isPartial}
          onChange={({ target }) => {
            onPartialChange(target.checked);
          }}
        >
          {texts.partial(format.count(lineCount))}
        </Checkbox>
      )}
    </RefusalAlert>
  );
}
