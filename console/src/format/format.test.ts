import { describe, expect, it } from "vitest";

import { formatMoney, isPositive } from "./money";
import { dayOf, formatInstant } from "./time";

describe("money", () => {
  it.each([
    ["0.00", "¥0.00"],
    ["1234567.80", "¥1,234,567.80"],
    ["-23.05", "-¥23.05"],
    ["10000000000000.01", "¥10,000,000,000,000.01"],
    ["9007199254740993.01", "¥9,007,199,254,740,993.01"],
  ])("%s is shown exactly, in both languages", (amount, shown) => {
    expect(formatMoney(amount, "CNY", "zh")).toBe(shown);
    expect(formatMoney(amount, "CNY", "en")).toBe(shown);
  });

  it("is above zero or not", () => {
    expect(["0.01", "10.00"].map(isPositive)).toEqual([true, true]);
    expect(["0.00", "-0.01"].map(isPositive)).toEqual([false, false]);
  });
});

describe("time", () => {
  it("is the account's, not the browser's", () => {
    expect(formatInstant("2027-01-31T15:59:59+00:00", "Asia/Shanghai")).toBe("2027-01-31 23:59:59");
    expect(formatInstant("2027-01-31T15:59:59+00:00", "America/New_York")).toBe("2027-01-31 10:59:59");
    expect(dayOf("2027-01-31T16:00:00+00:00", "Asia/Shanghai")).toBe("2027-02-01");
    expect(formatInstant("2027-01-31T16:00:00+00:00", "Asia/Shanghai")).toBe("2027-02-01 00:00:00");
  });
});
