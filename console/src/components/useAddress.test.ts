import { expect, it } from "vitest";

import { changedParams } from "./useAddress";

it("a change of parameters keeps the others, and removes what is empty", () => {
  expect(changedParams("tab=AUTO&instance=a", { instance: "b/c" })).toBe("tab=AUTO&instance=b%2Fc");
  expect(changedParams("tab=AUTO&instance=a", { instance: null })).toBe("tab=AUTO");
  expect(changedParams("kind=A&kind=B", { kind: ["C", "D"], from: "" })).toBe("kind=C&kind=D");
});
