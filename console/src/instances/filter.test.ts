import { expect, it } from "vitest";

import { selectableFilter, toInstanceFilter, toTagFilters } from "./filter";
import { INITIAL_STATE } from "./listState";

it("asks for the tab alone at first", () => {
  expect(toInstanceFilter(INITIAL_STATE)).toEqual({ tab: "MANUAL" });
});

it("takes any of a key's values, and all keys", () => {
  expect(toTagFilters(["env=prod", "env=test", "team", "note=a=b"])).toEqual([
    { key: "team" },
    { key: "env", values: ["prod", "test"] },
    { key: "note", values: ["a=b"] },
  ]);
});

it("selects no member of a bundle", () => {
  expect(selectableFilter({ tab: "AUTO" })).toEqual({ tab: "AUTO", bundled: false });
});
