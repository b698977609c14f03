import { expect, it } from "vitest";

import { isReachable, onDay, progressOf, stepClock } from "./clockSteps";

const ZONE = "Asia/Shanghai";
const CLOCK = "2027-01-31T02:00:00+00:00";

it("a step keeps the local time", () => {
  expect(stepClock(CLOCK, ZONE, "day")).toBe("2027-02-01T02:00:00.000Z");
  expect(stepClock(CLOCK, ZONE, "week")).toBe("2027-02-07T02:00:00.000Z");
  expect(stepClock(CLOCK, ZONE, "month")).toBe("2027-02-28T02:00:00.000Z");
  expect(stepClock("2027-03-13T15:00:00Z", "America/New_York", "day")).toBe("2027-03-14T14:00:00.000Z");
  expect(onDay(CLOCK, ZONE, "2027-05-01")).toBe("2027-05-01T02:00:00.000Z");
});

it("the clock only goes forward, by at most 24 months", () => {
  expect(isReachable(CLOCK, ZONE, "2027-01-31")).toBe(false);
  expect(isReachable(CLOCK, ZONE, "2027-02-01")).toBe(true);
  expect(isReachable(CLOCK, ZONE, "2029-01-31")).toBe(true);
  expect(isReachable(CLOCK, ZONE, "2029-02-01")).toBe(false);
});

it("progress is the part of the way that lies behind", () => {
  expect(progressOf("2027-01-01T00:00:00Z", "2027-01-05T00:00:00Z", "2027-01-02T00:00:00Z")).toBe(25);
  expect(progressOf("2027-01-01T00:00:00Z", "2027-01-05T00:00:00Z", "2027-01-05T00:00:00Z")).toBe(100);
});
