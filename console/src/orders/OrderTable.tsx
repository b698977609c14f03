import { Grid, Table, Typography, type TableColumnsType } from "antd";
import { useMemo } from "react";

import type { OrderRowFragment } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/orders";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { OrderDetail } from "./OrderDetail";

interface OrderTableProps {
  readonly orders: readonly OrderRowFragment[];
  readonly isLoading: boolean;
  /** The order whose lines are open at first. */
  readonly openId?: string;
}

/** A table of orders; each row opens to its lines and refunds. */
export function OrderTable({ orders, isLoading, openId }: OrderTableProps) {
  const texts = useAreaTexts(messages);
  const isWide = Grid.useBreakpoint().xl ?? true;
  return (
    <Table<OrderRowFragment>
      key={openId ?? ""}
      rowKey="id"
      size="middle"
      className="full-width"
      columns={useOrderColumns()}
      dataSource={[...orders]}
      loading={{ spinning: isLoading, delay: 200 }}
      pagination={false}
      scroll={{ x: isWide ? 960 : 860 }}
      locale={{ emptyText: isLoading ? " " : texts.empty }}
      expandable={{
        ...(openId !== undefined && { defaultExpandedRowKeys: [openId] }),
        // As wide as the table's frame, however far the table is scrolled.
        fixed: "start",
        columnTitle: <span className="visually-hidden">{texts.details}</span>,
        expandedRowRender: ({ id }) => <OrderDetail id={id} />,
      }}
    />
  );
}

function useOrderColumns(): TableColumnsType<OrderRowFragment> {
  const { columns, refunded } = useAreaTexts(messages);
  const labelOf = useLabel();
  const format = useFormat();
  return useMemo(
    () => [
      {
        title: columns.createdAt,
        key: "createdAt",
        width: 160,
        render: (_, { createdAt }) => <span className="tabular">{format.instant(createdAt)}</span>,
      },
      { title: columns.kind, key: "kind", width: 110, render: (_, { kind }) => labelOf("OrderKind", kind) },
      {
        title: columns.lineCount,
        key: "lines",
        width: 80,
        align: "right",
        render: (_, row) => format.count(row.lineCount),
      },
      {
        title: columns.total,
        key: "total",
        width: 120,
        align: "right",
        render: (_, { total, refunds }) => (
          <>
            <strong className="tabular">{format.money(total)}</strong>
            {refunds.map((refund) => (
              <Typography.Text key={refund.id} type="warning" className="block">
                {refunded(format.money(refund.total))}
              </Typography.Text>
            ))}
          </>
        ),
      },
      {
        title: columns.voucher,
        key: "voucher",
        width: 110,
        align: "right",
        render: (_, row) => format.money(row.voucherTotal),
      },
      {
        title: columns.balance,
        key: "balance",
        width: 110,
        align: "right",
        render: (_, row) => format.money(row.balanceTotal),
      },
      { title: columns.id, key: "id", render: (_, { id }) => <span className="instance-id">{id}</span> },
    ],
    [columns, refunded, labelOf, format],
  );
}
