import { expect, it } from "vitest";

import { responseOf } from "./response";

it.each([
  ["HTTP 500 · down", { status: 500, error: null, response: "down" }],
  ["no route", { status: null, error: "no route", response: "" }],
  ["-", { status: null, error: null, response: null }],
])("%s says what an endpoint returned", (line, response) => {
  expect(responseOf(response)).toBe(line);
});
