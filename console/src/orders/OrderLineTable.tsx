import { Table, Typography } from "antd";

import { InstanceLink } from "../components/InstanceLink";
import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/orders";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { useCatalogName } from "../instances/useCatalog";
import type { OrderLines } from "./OrderDetail";

interface OrderLineTableProps {
  readonly order: OrderLines;
  readonly page: number;
  readonly rows: number;
  readonly isLoading: boolean;
  readonly onPage: (page: number) => void;
}

/** A line for each instance of an order: its new period and its price. */
export function OrderLineTable({ order, page, rows, isLoading, onPage }: OrderLineTableProps) {
  const { columns } = useAreaTexts(messages);
  const { term } = useTexts().payment;
  const format = useFormat();
  const nameOf = useCatalogName();
  return (
    <Table<OrderLines["lines"][number]>
      rowKey="instanceId"
      size="small"
      scroll={{ x: 620 }}
      dataSource={order.lines}
      loading={{ spinning: isLoading, delay: 200 }}
      pagination={
        order.lineCount > rows && {
          current: page,
          pageSize: rows,
          total: order.lineCount,
          showSizeChanger: false,
          onChange: onPage,
        }
      }
      columns={[
        {
          title: columns.instance,
          key: "instance",
          render: (_, { instanceId, instance }) => (
            <>
              <InstanceLink id={instanceId} />
              <Typography.Text type="secondary" className="block breakable">
                {nameOf(instance.product)} · {instance.name}
              </Typography.Text>
            </>
          ),
        },
        {
          title: columns.period,
          key: "period",
          width: 200,
          render: (_, line) => (
            <>
              {format.day(line.startsAt)} → {format.day(line.expiresAt)}
              <Typography.Text type="secondary" className="block">
                {term(line.months, line.days)}
              </Typography.Text>
            </>
          ),
        },
        {
          title: columns.listPrice,
          key: "list",
          width: 110,
          align: "right",
          render: (_, line) => format.money(line.listPrice),
        },
        {
          title: columns.discount,
          key: "discount",
          width: 100,
          align: "right",
          render: (_, line) => (isPositive(line.discount) ? format.money(`-${line.discount}`) : "-"),
        },
        {
          title: columns.price,
          key: "price",
          width: 110,
          align: "right",
          render: (_, line) => format.money(line.price),
        },
      ]}
    />
  );
}
