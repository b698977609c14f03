import { defineConfig } from "vitest/config";

// The tests are of functions without state, so one worker serves all files; one for each takes four times as long.
export default defineConfig({
  test: { include: ["src/**/*.test.ts"], environment: "node", isolate: false, unstubGlobals: true },
});
