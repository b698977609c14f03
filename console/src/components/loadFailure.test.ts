import { expect, it } from "vitest";

import { en, zh } from "../i18n/messages/common";
import { FileLoadError } from "./lazyFile";
import { failureTextOf } from "./loadFailure";

it("only a file that could not be loaded leads to the network", () => {
  expect(failureTextOf(new FileLoadError(), en)).toBe(
    "This page could not be loaded. Check the network and try again.",
  );
  expect(failureTextOf(new TypeError("x is undefined"), en)).toBe(
    "This part could not be shown. Reload the page.",
  );
  expect(failureTextOf(new TypeError("x is undefined"), zh)).toBe("页面显示出错，请刷新后重试。");
  expect(failureTextOf(undefined, zh)).toBe(zh.drawFailed);
});
