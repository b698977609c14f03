import { Table } from "antd";

import type { ForecastQuery } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/forecast";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { Grouping } from "./grouping";

type Group = NonNullable<ForecastQuery["forecast"]["groups"]>[number];

interface GroupTableProps {
  readonly groups: readonly Group[];
  readonly by: Grouping;
}

/** The renewals of the period by product, data center or tag; the totals add up to the forecast's. */
export function GroupTable({ groups, by }: GroupTableProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { columns } = texts;
  return (
    <Table<Group>
      rowKey="value"
      size="middle"
      dataSource={[...groups]}
      pagination={{ pageSize: 50, hideOnSinglePage: true, showSizeChanger: false }}
      locale={{ emptyText: texts.empty }}
      columns={[
        {
          title: texts.groupings[by],
          key: "label",
          render: (_, { value, label }) => (value === "" ? texts.untagged : label),
        },
        {
          title: columns.dueCount,
          key: "due",
          align: "right",
          render: (_, { dueCount }) => format.count(dueCount),
        },
        { title: columns.total, key: "total", align: "right", render: (_, { total }) => format.money(total) },
      ]}
    />
  );
}
