import { describe, expect, it } from "vitest";

import { addDays, addMonths, instantOf, startOfDay, timeOf, todayOf } from "./calendar";

describe("days", () => {
  it("are counted across months and clock changes", () => {
    expect(addDays("2027-02-28", 1)).toBe("2027-03-01");
    expect(addDays("2028-02-28", 1)).toBe("2028-02-29");
    expect(addDays("2027-01-01", -1)).toBe("2026-12-31");
  });

  it("of later months end with the month", () => {
    expect(addMonths("2027-01-31", 1)).toBe("2027-02-28");
    expect(addMonths("2027-12-15", 1)).toBe("2028-01-15");
    expect(addMonths("2027-03-31", 13)).toBe("2028-04-30");
  });

  it("begin at midnight of the account's zone", () => {
    expect(startOfDay("2027-01-15", "Asia/Shanghai")).toBe("2027-01-14T16:00:00.000Z");
    expect(startOfDay("2027-03-14", "America/New_York")).toBe("2027-03-14T05:00:00.000Z");
    expect(startOfDay("2027-03-15", "America/New_York")).toBe("2027-03-15T04:00:00.000Z");
  });
});

it("a local time is an instant of the zone, also on the day of a clock change", () => {
  expect(instantOf("2027-03-14", "10:00:00", "America/New_York")).toBe("2027-03-14T14:00:00.000Z");
  expect(instantOf("2027-11-07", "10:00:00", "America/New_York")).toBe("2027-11-07T15:00:00.000Z");
  expect(timeOf("2027-01-15T02:00:00+00:00", "Asia/Shanghai")).toBe("10:00:00");
});

it("today is the day of the test clock", () => {
  expect(todayOf({ testClock: "2027-01-15T16:30:00+00:00", timeZone: "Asia/Shanghai" })).toBe("2027-01-16");
});
