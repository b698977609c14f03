import { Card, Descriptions, Flex, Tag } from "antd";

import type { WebhookFragment } from "../api/generated/graphql";
import { useViewer } from "../app/account";
import { useFormat } from "../format/useFormat";
import { isEventType } from "../history/eventTypes";
import * as events from "../i18n/messages/events";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { WebhookActions } from "./WebhookActions";
import { WebhookDeliveries } from "./WebhookDeliveries";

interface WebhookCardProps {
  readonly endpoint: WebhookFragment;
  readonly onSecret: (secret: string) => void;
}

/** One endpoint: where its events go, how its deliveries fare, and what can be done. */
export function WebhookCard({ endpoint, onSecret }: WebhookCardProps) {
  const texts = useAreaTexts(messages);
  const { types } = useAreaTexts(events);
  const format = useFormat();
  const { canWrite } = useViewer();
  const { eventTypes, lastDeliveredAt, lastError, pausedUntil, waitingCount, parkedCount } = endpoint;
  const names = eventTypes.map((type) => (isEventType(type) ? types[type] : type));
  return (
    <Card
      size="small"
      title={
        <Flex gap="small" align="center" wrap>
          <span className="instance-id">{endpoint.url}</span>
          <Tag color={endpoint.enabled ? "success" : "default"}>
            {endpoint.enabled ? texts.enabled : texts.disabled}
          </Tag>
        </Flex>
      }
    >
      <Flex vertical gap="middle">
        <Descriptions
          size="small"
          column={{ xs: 1, md: 2 }}
          items={[
            { key: "types", label: texts.eventTypes, children: names.join(", ") || texts.allTypes },
            {
              key: "delivered",
              label: texts.lastDelivered,
              children: lastDeliveredAt === null ? texts.never : format.instant(lastDeliveredAt),
            },
            { key: "waiting", label: texts.waiting, children: format.count(waitingCount) },
            { key: "parked", label: texts.parked, children: format.count(parkedCount) },
            ...(endpoint.disabledReason === null
              ? []
              : [{ key: "reason", label: texts.disabledReason, children: endpoint.disabledReason }]),
            ...(lastError === null ? [] : [{ key: "error", label: texts.lastError, children: lastError }]),
            ...(pausedUntil === null
              ? []
              : [{ key: "paused", label: texts.pausedUntil, children: format.instant(pausedUntil) }]),
          ]}
        />
        {canWrite && <WebhookActions endpoint={endpoint} onSecret={onSecret} />}
        {waitingCount + parkedCount > 0 && <WebhookDeliveries endpointId={endpoint.id} />}
      </Flex>
    </Card>
  );
}
