import { DatePicker } from "antd";
import dayjs from "dayjs";
import { useId } from "react";

import { useTexts } from "../i18n/useLanguage";
import { Labelled } from "./Labelled";
import type { Period } from "./period";

interface PeriodFilterProps {
  readonly label: string;
  readonly period: Period;
  readonly onChange: (period: Period) => void;
}

/** A filter by days of the account's time zone; either end may be open. */
export function PeriodFilter({ label, period, onChange }: PeriodFilterProps) {
  const { filters } = useTexts().list;
  const id = useId();
  const { from, to } = period;
  return (
    <Labelled label={label} id={id} isWide>
      <DatePicker.RangePicker
        id={{ start: id, end: `${id}-end` }}
        allowEmpty
        placeholder={[filters.expiryFrom, filters.expiryTo]}
        value={[from === null ? null : dayjs(from), to === null ? null : dayjs(to)]}
        onChange={(days) => {
          const [start, end] = days ?? [null, null];
          onChange({ from: start?.format("YYYY-MM-DD") ?? null, to: end?.format("YYYY-MM-DD") ?? null });
        }}
      />
    </Labelled>
  );
}
