import { Flex, Tag, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { InstanceDetail } from "./InstanceDrawer";

/** The worker's attempts to renew the instance, the latest first. */
export function AttemptList({ attempts }: { readonly attempts: InstanceDetail["attempts"] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  if (attempts.length === 0) return <Typography.Text type="secondary">{texts.noAttempts}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {attempts.map(({ id, attemptedAt, succeeded, message, order }) => (
        <li key={id}>
          <span className="tabular">{format.instant(attemptedAt)}</span>{" "}
          <Tag color={succeeded ? "success" : "error"}>{succeeded ? texts.succeeded : texts.failed}</Tag>
          {message}
          {order && format.money(order.total)}
        </li>
      ))}
    </Flex>
  );
}
