import { Flex, Tag, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { InstanceDetail } from "./InstanceDrawer";

/** One fewer than the query asks for, so that the page learns whether there are more. */
const SHOWN = 20;

/** The worker's attempts to renew the instance, the latest first. */
export function AttemptList({ attempts }: { readonly attempts: InstanceDetail["attempts"] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  if (attempts.length === 0) return <Typography.Text type="secondary">{texts.noAttempts}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {attempts.slice(0, SHOWN).map(({ id, attemptedAt, succeeded, message, order }) => (
        <li key={id}>
          <span className="tabular">{format.instant(attemptedAt)}</span>{" "}
          <Tag color={succeeded ? "success" : "error"}>{succeeded ? texts.succeeded : texts.failed}</Tag>
          {message}
          {order && format.money(order.total)}
        </li>
      ))}
      {attempts.length > SHOWN && (
        <li>
          <Typography.Text type="secondary">{texts.latestAttempts(SHOWN)}</Typography.Text>
        </li>
      )}
    </Flex>
  );
}
