import { Table, Typography } from "antd";

import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/forecast";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { busyDays, type ForecastDay } from "./chartSeries";

/** The days with renewals: how many, who pays, and what stays. */
export function DayTable({ days }: { readonly days: readonly ForecastDay[] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { columns } = texts;
  const amount = (title: string, key: "total" | "voucherTotal" | "balanceTotal" | "balanceAfter") => ({
    title,
    key,
    align: "right" as const,
    render: (_: unknown, day: ForecastDay) => <span className="tabular">{format.money(day[key])}</span>,
  });
  return (
    <Table<ForecastDay>
      rowKey="date"
      size="middle"
      dataSource={busyDays(days)}
      pagination={{ pageSize: 31, hideOnSinglePage: true, showSizeChanger: false }}
      scroll={{ x: 760 }}
      locale={{ emptyText: texts.empty }}
      columns={[
        { title: columns.date, dataIndex: "date", width: 110 },
        {
          title: columns.dueCount,
          key: "due",
          align: "right",
          render: (_, day) => format.count(day.dueCount),
        },
        amount(columns.total, "total"),
        amount(columns.vouchers, "voucherTotal"),
        amount(columns.balance, "balanceTotal"),
        amount(columns.balanceAfter, "balanceAfter"),
        {
          title: columns.shortfall,
          key: "shortfall",
          align: "right",
          render: (_, { shortfall, atRiskCount }) => (
            <>
              {isPositive(shortfall) ? (
                <Typography.Text type="danger">{format.money(shortfall)}</Typography.Text>
              ) : (
                "-"
              )}
              {atRiskCount > 0 && (
                <Typography.Text type="secondary" className="block">
                  {texts.atRisk(format.count(atRiskCount))}
                </Typography.Text>
              )}
            </>
          ),
        },
      ]}
    />
  );
}
