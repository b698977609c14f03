import { Flex, Select } from "antd";
import { useId } from "react";

import { useViewer } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import { listDurations } from "./durations";

interface AutoRenewMonthsProps {
  /** Null keeps what each instance has. */
  readonly months: number | null;
  readonly onChange: (months: number | null) => void;
}

const KEPT = 0;

/** The months of each automatic renewal. */
export function AutoRenewMonths({ months, onChange }: AutoRenewMonthsProps) {
  const texts = useTexts();
  const { limits } = useViewer();
  const id = useId();
  return (
    <Flex gap="small" align="center" wrap>
      <label htmlFor={id} className="filter-label">
        {texts.policy.autoRenewMonths}:
      </label>
      <Select
        id={id}
        className="months-choice"
        value={months ?? KEPT}
        options={[
          { value: KEPT, label: texts.policy.keepMonths },
          ...listDurations(limits.months).map((value) => ({ value, label: texts.payment.months(value) })),
        ]}
        onChange={(value) => {
          onChange(value === KEPT ? null : value);
        }}
      />
    </Flex>
  );
}
