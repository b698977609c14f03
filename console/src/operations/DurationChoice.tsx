import { Flex, Radio } from "antd";
import { useId } from "react";

import { useViewer } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import type { DiscountRange } from "./discounts";
import { listDurations } from "./durations";

interface DurationChoiceProps {
  readonly months: number;
  readonly discountsOf: (months: number) => DiscountRange | null;
  readonly onChange: (months: number) => void;
}

/** The months of a renewal. */
export function DurationChoice({ months, discountsOf, onChange }: DurationChoiceProps) {
  const texts = useTexts().payment;
  const { limits } = useViewer();
  const id = useId();
  return (
    <Flex gap="small" align="center" wrap>
      <span id={id} className="filter-label">
        {texts.duration}:
      </span>
      <Radio.Group
        aria-labelledby={id}
        optionType="button"
        buttonStyle="solid"
        className="durations"
        value={months}
        options={listDurations(limits.months).map((value) => {
          const range = discountsOf(value);
          return {
            value,
            label: (
              <>
                {texts.months(value)}
                {range && <span className="discount"> {texts.discounts(range)}</span>}
              </>
            ),
          };
        })}
        onChange={({ target }) => {
          onChange(target.value as number);
        }}
      />
    </Flex>
  );
}
