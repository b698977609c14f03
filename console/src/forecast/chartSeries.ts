import type { ForecastQuery } from "../api/generated/graphql";
import { isPositive } from "../format/money";

export type ForecastDay = ForecastQuery["forecast"]["days"][number];

/** The values of the chart. They are numbers only because they are drawn; each text shows the exact amount. */
interface ChartSeries {
  readonly days: string[];
  readonly byVouchers: number[];
  readonly byBalance: number[];
  readonly unpaid: number[];
  readonly balances: number[];
}

/** Return the bars and the line of the chart: who pays each day, what stays unpaid, and the balance afterwards. */
export function toChartSeries(days: readonly ForecastDay[]): ChartSeries {
  return {
    days: days.map(({ date }) => date),
    byVouchers: days.map(({ voucherTotal }) => Number(voucherTotal)),
    byBalance: days.map(({ balanceTotal }) => Number(balanceTotal)),
    unpaid: days.map(({ total, voucherTotal, balanceTotal }) =>
      Math.max(0, (centsOf(total) - centsOf(voucherTotal) - centsOf(balanceTotal)) / 100),
    ),
    balances: days.map(({ balanceAfter }) => Number(balanceAfter)),
  };
}

/** Return the days with something to read: a renewal, or money that lacks. */
export function busyDays(days: readonly ForecastDay[]): ForecastDay[] {
  return days.filter(({ dueCount, shortfall }) => dueCount > 0 || isPositive(shortfall));
}

function centsOf(amount: string): number {
  return Math.round(Number(amount) * 100);
}
