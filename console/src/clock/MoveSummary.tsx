import { Alert, Button, Flex, Typography } from "antd";
import { useState } from "react";

import { InstanceLink } from "../components/InstanceLink";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/clock";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { ClockMoved } from "./useClockMove";

interface MoveSummaryProps {
  readonly moved: ClockMoved;
  readonly onClose: () => void;
}

/** What happened while the clock moved: the counts, and on demand each event. */
export function MoveSummary({ moved, onClose }: MoveSummaryProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const [isOpen, setIsOpen] = useState(false);
  const { events, account, renewedCount, refusedCount, expiredCount, releasedCount } = moved;
  const counts = [
    texts.renewed(format.count(renewedCount)),
    texts.refused(format.count(refusedCount)),
    texts.expired(format.count(expiredCount)),
    texts.released(format.count(releasedCount)),
  ];
  return (
    <Alert
      type="success"
      role="status"
      showIcon
      closable={{ onClose, "aria-label": texts.dismiss }}
      title={
        <Flex gap="small" align="center" wrap>
          <span>{texts.moved(format.instant(account.testClock ?? ""))}</span>
          <span>{counts.join(texts.comma)}</span>
          {events.length > 0 && (
            <Button
              type="link"
              size="small"
              aria-expanded={isOpen}
              onClick={() => {
                setIsOpen(!isOpen);
              }}
            >
              {isOpen ? texts.hideEvents : texts.showEvents(format.count(events.length))}
            </Button>
          )}
        </Flex>
      }
      description={isOpen && <EventList events={events} />}
    />
  );
}

function EventList({ events }: { readonly events: ClockMoved["events"] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  return (
    <ol className="event-list" tabIndex={0} aria-label={texts.events}>
      {events.map(({ sequence, occurredAt, summary, instanceId }) => (
        <li key={sequence}>
          <Typography.Text type="secondary" className="tabular">
            {format.instant(occurredAt)}
          </Typography.Text>{" "}
          {summary} {instanceId !== null && <InstanceLink id={instanceId}>{texts.open}</InstanceLink>}
        </li>
      ))}
    </ol>
  );
}
