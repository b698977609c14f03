import { Table, Tag, Typography } from "antd";
import { Link } from "wouter";

import type { LedgerRowFragment } from "../api/generated/graphql";
import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/ledger";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";

interface LedgerTableProps {
  readonly entries: readonly LedgerRowFragment[];
  readonly isLoading: boolean;
}

export function LedgerTable({ entries, isLoading }: LedgerTableProps) {
  const texts = useAreaTexts(messages);
  const labelOf = useLabel();
  const format = useFormat();
  const { columns } = texts;
  return (
    <Table<LedgerRowFragment>
      rowKey="id"
      size="middle"
      dataSource={[...entries]}
      loading={{ spinning: isLoading, delay: 200 }}
      pagination={false}
      scroll={{ x: 980 }}
      locale={{ emptyText: isLoading ? " " : texts.empty }}
      columns={[
        {
          title: columns.createdAt,
          key: "createdAt",
          width: 180,
          render: (_, { createdAt }) => <span className="tabular">{format.instant(createdAt)}</span>,
        },
        {
          title: columns.kind,
          key: "kind",
          width: 110,
          render: (_, { kind }) => labelOf("LedgerEntryKind", kind),
        },
        {
          title: columns.target,
          key: "target",
          width: 110,
          render: (_, { voucher }) =>
            voucher ? <Tag color="gold">{texts.voucher}</Tag> : <Tag>{texts.balance}</Tag>,
        },
        {
          title: columns.amount,
          key: "amount",
          width: 140,
          align: "right",
          render: (_, { amount }) => (
            <Typography.Text type={isPositive(amount) ? "success" : "danger"} className="tabular">
              {isPositive(amount) && "+"}
              {format.money(amount)}
            </Typography.Text>
          ),
        },
        {
          title: columns.after,
          key: "after",
          width: 170,
          align: "right",
          render: (_, { voucher, availableAfter, balanceAfter }) => (
            <span className="tabular">
              {voucher && availableAfter !== null
                ? texts.voucherAfter(format.money(availableAfter))
                : format.money(balanceAfter)}
            </span>
          ),
        },
        {
          title: columns.order,
          key: "order",
          width: 110,
          render: (_, { orderId }) =>
            orderId !== null && <Link href={`/orders?order=${orderId}`}>{texts.openOrder}</Link>,
        },
        { title: columns.memo, key: "memo", dataIndex: "memo" },
      ]}
    />
  );
}
