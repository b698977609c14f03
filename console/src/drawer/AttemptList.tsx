import { Flex, Tag, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { InstanceDetail } from "./InstanceDrawer";
import { LATEST_SHOWN, takeLatest } from "./latest";

/** The worker's attempts to renew the instance, the latest first. */
export function AttemptList({ attempts }: { readonly attempts: InstanceDetail["attempts"] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { shown, isCut } = takeLatest(attempts);
  if (shown.length === 0) return <Typography.Text type="secondary">{texts.noAttempts}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {shown.map(({ id, attemptedAt, succeeded, message, order }) => (
        <li key={id}>
          <span className="tabular">{format.instant(attemptedAt)}</span>{" "}
          <Tag color={succeeded ? "success" : "error"}>{succeeded ? texts.succeeded : texts.failed}</Tag>
          {message}
          {order && format.money(order.total)}
        </li>
      ))}
      {isCut && (
        <li>
          <Typography.Text type="secondary">{texts.latestAttempts(LATEST_SHOWN)}</Typography.Text>
        </li>
      )}
    </Flex>
  );
}
