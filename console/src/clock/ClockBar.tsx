import { Alert, Flex, Tag, Typography } from "antd";

import { useAccount, useViewer } from "../app/account";
import { ErrorAlert } from "../components/ErrorAlert";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/clock";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { ClockControls } from "./ClockControls";
import { progressOf } from "./clockSteps";
import { MoveSummary } from "./MoveSummary";
import { useClockMove } from "./useClockMove";

/** The time machine of a test account: where its clock stands, and how to move it. */
export default function ClockBar() {
  const texts = useAreaTexts(messages);
  const common = useTexts().common;
  const format = useFormat();
  const { canWrite } = useViewer();
  const { testClock, timeZone } = useAccount();
  const { move, isLost, outcome, start, dismiss } = useClockMove();
  if (testClock === null) return null;
  return (
    <section aria-label={texts.title} className="clock-bar">
      <Flex gap="small" align="center" wrap>
        <Tag color="purple">{texts.testAccount}</Tag>
        <Typography.Text>
          {texts.now}{" "}
          <strong className="tabular" data-testid="test-clock">
            {format.instant(testClock)}
          </strong>{" "}
          <Typography.Text type="secondary">({timeZone})</Typography.Text>
        </Typography.Text>
        {canWrite ? (
          <ClockControls
            clock={testClock}
            isDisabled={move !== null}
            onMove={(to) => {
              start(testClock, to);
            }}
          />
        ) : (
          <Tag>{common.readOnly}</Tag>
        )}
      </Flex>
      {move && (
        <Flex gap="small" align="center" aria-live="polite">
          <span className="nowrap">{isLost ? texts.lost : texts.moving(format.day(move.to))}</span>
          <progress
            max={100}
            value={progressOf(move.from, move.to, testClock)}
            className="clock-progress"
            aria-label={texts.progress}
          />
        </Flex>
      )}
      {outcome?.kind === "failed" && <ErrorAlert error={outcome.error} onRetry={outcome.retry} />}
      {outcome?.kind === "refused" && (
        <Alert type="error" role="alert" showIcon title={outcome.message} closable={{ onClose: dismiss }} />
      )}
      {outcome?.kind === "moved" && <MoveSummary moved={outcome.moved} onClose={dismiss} />}
    </section>
  );
}
