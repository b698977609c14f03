import { expect, it } from "vitest";

import { busyDays, toChartSeries } from "./chartSeries";

const DAY = {
  date: "2027-01-31",
  dueCount: 2,
  total: "300.10",
  voucherTotal: "100.00",
  balanceTotal: "100.05",
  balanceAfter: "0.20",
  shortfall: "99.85",
  atRiskCount: 1,
};
const QUIET = {
  ...DAY,
  date: "2027-02-01",
  dueCount: 0,
  total: "0.00",
  voucherTotal: "0.00",
  balanceTotal: "0.00",
  shortfall: "0.00",
};

it("the parts of a bar add up to the day's total", () => {
  expect(toChartSeries([DAY, QUIET])).toEqual({
    days: ["2027-01-31", "2027-02-01"],
    byVouchers: [100, 0],
    byBalance: [100.05, 0],
    unpaid: [100.05, 0],
    balances: [0.2, 0.2],
  });
});

it("the table leaves out days without renewals", () => {
  expect(busyDays([DAY, QUIET])).toEqual([DAY]);
});
