import { expect, it } from "vitest";

import { changeOfTags, formatTag, isNoChange } from "./tags";

const BEFORE = [
  { key: "env", value: "test" },
  { key: "team", value: "" },
];

it.each([
  ["nothing if nothing differs", BEFORE, [], []],
  ["a new tag", [...BEFORE, { key: "tier", value: "1" }], [{ key: "tier", value: "1" }], []],
  [
    "another value and a tag that is gone",
    [{ key: "env", value: "prod" }],
    [{ key: "env", value: "prod" }],
    ["team"],
  ],
])("the change of tags is %s", (_, after, set, removeKeys) => {
  const change = changeOfTags(BEFORE, after);
  expect(change).toEqual({ set, removeKeys });
  expect(isNoChange(change)).toBe(set.length + removeKeys.length === 0);
});

it("writes a tag without a value as its key", () => {
  expect(BEFORE.map(formatTag)).toEqual(["env=test", "team"]);
});
