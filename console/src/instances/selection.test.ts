import { describe, expect, it } from "vitest";

import { countOf, EVERYTHING, isSelected, NOTHING, select, toSelectionInput } from "./selection";

const FILTER = { tab: "MANUAL", bundled: false } as const;

describe("the selection", () => {
  it("keeps what other pages added", () => {
    const both = select(select(NOTHING, ["a", "b"], true), ["c"], true);
    expect(countOf(select(both, ["a"], false), 100)).toBe(2);
    expect(toSelectionInput(select(both, ["a"], false), FILTER)).toEqual({ ids: ["b", "c"] });
  });

  it("of all that match takes instances that are not on the page, and leaves out the exceptions", () => {
    const most = select(EVERYTHING, ["b", "c"], false);
    expect(isSelected(most, "never seen")).toBe(true);
    expect(isSelected(most, "b")).toBe(false);
    expect(countOf(most, 9_999)).toBe(9_997);
    expect(toSelectionInput(select(most, ["c"], true), FILTER)).toEqual({
      matching: { filter: FILTER, except: ["b"] },
    });
  });

  it("does not change the one before", () => {
    select(NOTHING, ["a"], true);
    select(EVERYTHING, ["a"], false);
    expect(countOf(NOTHING, 5)).toBe(0);
    expect(countOf(EVERYTHING, 5)).toBe(5);
  });

  it("holds 10,000 ids", () => {
    const ids = Array.from({ length: 10_000 }, (_, number) => `i-${number}`);
    const selection = select(NOTHING, ids, true);
    expect(countOf(selection, 0)).toBe(10_000);
    expect(toSelectionInput(selection, FILTER)).toEqual({ ids });
  });
});
