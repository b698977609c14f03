import { describe, expect, it } from "vitest";

import { themeFor } from "./theme";

describe("theme", () => {
  it("is the same with and without motion, but for the motion", () => {
    const { token, ...still } = themeFor(true);
    const { token: movingToken, ...moving } = themeFor(false);
    expect(still).toEqual(moving);
    expect(token).toEqual({ ...movingToken, motion: false });
    expect(movingToken).not.toHaveProperty("motion");
  });
});
