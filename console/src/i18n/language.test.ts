import { expect, it } from "vitest";

import { findLanguage } from "./language";

it.each([
  ["en", ["zh-CN"], "en"],
  [null, ["zh-TW", "en"], "zh"],
  [null, ["fr", "en-GB", "zh"], "en"],
  [null, ["fr"], "zh"],
  ["xx", ["en"], "en"],
])("the language for the stored %s and the browser's %s is %s", (stored, preferred, language) => {
  expect(findLanguage(stored, preferred)).toBe(language);
});
