import { Button, DatePicker, Space } from "antd";
import dayjs, { type Dayjs } from "dayjs";

import { useAccount } from "../app/account";
import { dayOf } from "../format/time";
import * as messages from "../i18n/messages/clock";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { CLOCK_STEPS, isReachable, onDay, stepClock } from "./clockSteps";

/** The field is empty again after each move. */
const NO_DAY = null as Dayjs | null;

interface ClockControlsProps {
  readonly clock: string;
  readonly isDisabled: boolean;
  readonly onMove: (to: string) => void;
}

/** Buttons that move the clock by a step, and a field that moves it to a day. */
export function ClockControls({ clock, isDisabled, onMove }: ClockControlsProps) {
  const texts = useAreaTexts(messages);
  const { timeZone } = useAccount();
  return (
    <Space size="small" wrap>
      {CLOCK_STEPS.map((step) => (
        <Button
          key={step}
          size="small"
          disabled={isDisabled}
          onClick={() => {
            onMove(stepClock(clock, timeZone, step));
          }}
        >
          {texts.steps[step]}
        </Button>
      ))}
      <DatePicker
        size="small"
        className="clock-day"
        aria-label={texts.toDay}
        placeholder={texts.toDay}
        disabled={isDisabled}
        value={NO_DAY}
        defaultPickerValue={dayjs(dayOf(clock, timeZone))}
        showNow={false}
        disabledDate={(day) => !isReachable(clock, timeZone, day.format("YYYY-MM-DD"))}
        onChange={(day) => {
          if (day) onMove(onDay(clock, timeZone, day.format("YYYY-MM-DD")));
        }}
      />
    </Space>
  );
}
