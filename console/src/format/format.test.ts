import { describe, expect, it } from "vitest";

import { formatMoney, isPositive } from "./money";
import { addDays, dayOf, daysBetween, formatInstant, startOfDay } from "./time";

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

  it("counts days across months and leap years", () => {
    expect(daysBetween("2028-02-28", "2028-03-01")).toBe(2);
    expect(daysBetween("2027-01-15", "2027-01-10")).toBe(-5);
    expect(addDays("2027-12-31", 1)).toBe("2028-01-01");
  });

  it("knows the beginning of a day", () => {
    expect(startOfDay("2027-01-15", "Asia/Shanghai")).toBe("2027-01-14T16:00:00.000Z");
    expect(startOfDay("2027-07-15", "America/New_York")).toBe("2027-07-15T04:00:00.000Z");
  });
});
