import { DatePicker, Flex, Radio, Select } from "antd";
import dayjs from "dayjs";

import { useTexts } from "../i18n/useLanguage";
import { DAYS_OF_MONTH, type TargetChoice } from "./unifyTarget";

interface UnifyTargetChoiceProps {
  readonly choice: TargetChoice;
  readonly onChange: (choice: TargetChoice) => void;
}

/** The common last day: a day of the month, or one date. */
export function UnifyTargetChoice({ choice, onChange }: UnifyTargetChoiceProps) {
  const texts = useTexts().payment;
  const { kind, date, dayOfMonth } = choice;
  return (
    <Flex vertical gap="small">
      <Flex gap="small" align="center" wrap>
        <Radio.Group
          aria-label={texts.unifyTitle}
          value={kind}
          options={[
            { value: "dayOfMonth", label: texts.unifyByDay },
            { value: "date", label: texts.unifyByDate },
          ]}
          onChange={({ target }) => {
            onChange({ ...choice, kind: target.value as TargetChoice["kind"] });
          }}
        />
        {kind === "dayOfMonth" ? (
          <Select
            aria-label={texts.unifyByDay}
            className="day-choice"
            value={dayOfMonth}
            options={DAYS_OF_MONTH.map((value) => ({ value, label: texts.dayOfMonth(value) }))}
            onChange={(value) => {
              onChange({ ...choice, dayOfMonth: value });
            }}
          />
        ) : (
          <DatePicker
            aria-label={texts.unifyByDate}
            placeholder={texts.chooseDate}
            value={date === null ? null : dayjs(date)}
            onChange={(value) => {
              onChange({ ...choice, date: value?.format("YYYY-MM-DD") ?? null });
            }}
          />
        )}
      </Flex>
      <p className="note">{kind === "dayOfMonth" ? texts.unifyByDayHint : texts.unifyByDateHint}</p>
    </Flex>
  );
}
