import { expect, it } from "vitest";

import { cursorVariables } from "./cursor";
import { instantsOf, readChoices, readPeriod } from "./period";

it("a period is whole days of the account's zone", () => {
  const period = readPeriod(new URLSearchParams("from=2027-01-01&to=2027-01-31"));
  expect(instantsOf(period, "Asia/Shanghai")).toEqual({
    from: "2026-12-31T16:00:00.000Z",
    before: "2027-01-31T16:00:00.000Z",
  });
  expect(instantsOf({ from: null, to: null }, "Asia/Shanghai")).toEqual({});
});

it("what is not a day or not allowed counts as absent", () => {
  const params = new URLSearchParams("from=yesterday&to=2027-13-01&kind=A&kind=X");
  expect(readPeriod(params)).toEqual({ from: null, to: null });
  expect(readChoices(params, "kind", ["A", "B"])).toEqual(["A"]);
});

it("a cursor asks for the rows after or before it", () => {
  expect(cursorVariables(null, 20)).toEqual({ first: 20 });
  expect(cursorVariables({ after: "a" }, 20)).toEqual({ first: 20, after: "a" });
  expect(cursorVariables({ before: "b" }, 20)).toEqual({ last: 20, before: "b" });
});
