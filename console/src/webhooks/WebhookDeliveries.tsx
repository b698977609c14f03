import { Alert, Button, Flex, Table, Tag } from "antd";
import { useMemo, useState } from "react";

import { ReplayWebhookDocument, WebhookDeliveriesDocument } from "../api/generated/graphql";
import { messageOf } from "../api/errors";
import { useApiMutation } from "../api/useApiMutation";
import { useApiQuery } from "../api/useApiQuery";
import { useViewer } from "../app/account";
import { ErrorAlert } from "../components/ErrorAlert";
import { useFormat } from "../format/useFormat";
import { isEventType } from "../history/eventTypes";
import * as events from "../i18n/messages/events";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { responseOf } from "./response";

const ROWS = 20;

/** The deliveries of an endpoint that have not succeeded; what was given up can be sent again. */
export function WebhookDeliveries({ endpointId }: { readonly endpointId: string }) {
  const texts = useAreaTexts(messages);
  const { types } = useAreaTexts(events);
  const { errors } = useTexts().common;
  const format = useFormat();
  const { canWrite } = useViewer();
  const variables = useMemo(() => ({ first: ROWS }), []);
  const { data, error, isLoading, reload } = useApiQuery(WebhookDeliveriesDocument, variables);
  const replay = useApiMutation(ReplayWebhookDocument);
  const deliveries = data?.webhookEndpoints.find(({ id }) => id === endpointId)?.deliveries ?? [];
  const { columns } = texts;
  const [problem, setProblem] = useState<string | null>(null);
  const sendAgain = async (sequence: number) => {
    const answer = await replay.run({ input: { id: endpointId, sequence } });
    const result = answer.data?.replayWebhookDelivery;
    if (answer.error) setProblem(messageOf(answer.error, errors));
    else setProblem(result && "message" in result ? result.message : null);
  };
  if (error) return <ErrorAlert error={error} onRetry={reload} />;
  return (
    <Flex vertical gap="small">
      {problem !== null && <Alert type="error" role="alert" showIcon title={problem} />}
      <Table<(typeof deliveries)[number]>
        rowKey="sequence"
        size="small"
        dataSource={deliveries}
        loading={{ spinning: isLoading, delay: 200 }}
        pagination={false}
        scroll={{ x: 900 }}
        columns={[
          { title: columns.sequence, dataIndex: "sequence", width: 80 },
          {
            title: columns.type,
            key: "type",
            render: (_, { type }) => (isEventType(type) ? types[type] : type),
          },
          { title: columns.occurredAt, key: "at", render: (_, { occurredAt }) => format.instant(occurredAt) },
          {
            title: columns.state,
            key: "state",
            render: (_, { state }) => (
              <Tag color={state === "PARKED" ? "error" : "default"}>{texts.states[state]}</Tag>
            ),
          },
          { title: columns.attempts, dataIndex: "attempts", align: "right" },
          {
            title: columns.response,
            key: "error",
            className: "instance-id",
            render: (_, { lastError, lastStatus, lastResponse }) =>
              responseOf({ status: lastStatus, error: lastError, response: lastResponse }),
          },
          {
            title: columns.nextAttempt,
            key: "next",
            render: (_, { nextAttemptAt }) => (nextAttemptAt === null ? "-" : format.instant(nextAttemptAt)),
          },
          {
            title: <span className="visually-hidden">{texts.replay}</span>,
            key: "replay",
            render: (_, { sequence, state }) =>
              canWrite &&
              state === "PARKED" && (
                <Button size="small" loading={replay.isRunning} onClick={() => void sendAgain(sequence)}>
                  {texts.replay}
                </Button>
              ),
          },
        ]}
      />
    </Flex>
  );
}
