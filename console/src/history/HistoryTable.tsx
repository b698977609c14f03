import { Flex, Table } from "antd";
import { Link } from "wouter";

import type { EventRowFragment } from "../api/generated/graphql";
import { InstanceLink } from "../components/InstanceLink";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/events";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { isEventType } from "./eventTypes";

interface HistoryTableProps {
  readonly events: readonly EventRowFragment[];
  readonly isLoading: boolean;
}

export function HistoryTable({ events, isLoading }: HistoryTableProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const labelOf = useLabel();
  const { columns, types } = texts;
  return (
    <Table<EventRowFragment>
      rowKey="sequence"
      size="middle"
      dataSource={[...events]}
      loading={{ spinning: isLoading, delay: 200 }}
      pagination={false}
      tableLayout="fixed"
      scroll={{ x: 860 }}
      locale={{ emptyText: isLoading ? " " : texts.empty }}
      columns={[
        {
          title: columns.occurredAt,
          key: "occurredAt",
          width: 180,
          render: (_, { occurredAt }) => <span className="tabular">{format.instant(occurredAt)}</span>,
        },
        {
          title: columns.type,
          key: "type",
          width: 140,
          render: (_, { type }) => (isEventType(type) ? types[type] : type),
        },
        { title: columns.summary, dataIndex: "summary", className: "breakable" },
        {
          title: columns.actor,
          key: "actor",
          className: "breakable",
          width: 150,
          render: (_, { actor }) =>
            actor.kind === "WORKER" || actor.name === ""
              ? labelOf("ActorKind", actor.kind)
              : `${labelOf("ActorKind", actor.kind)} ${actor.name}`,
        },
        {
          title: columns.links,
          key: "links",
          width: 130,
          render: (_, { instanceId, order }) => (
            <Flex vertical>
              {instanceId !== null && <InstanceLink id={instanceId}>{texts.openInstance}</InstanceLink>}
              {order && <Link href={`/orders?order=${order.id}`}>{texts.openOrder}</Link>}
            </Flex>
          ),
        },
      ]}
    />
  );
}
