import { CombinedError } from "@urql/core";
import { describe, expect, it } from "vitest";

import { sendUntilAnswered, type Answer } from "./attempt";

const LOST = { error: new CombinedError({ networkError: new TypeError("Failed to fetch") }) };
const answered = { data: "paid" };

function failing(code: string) {
  return { error: new CombinedError({ graphQLErrors: [{ message: code, extensions: { code } }] }) };
}

function status(code: number) {
  return { error: new CombinedError({ networkError: new Error(), response: { status: code } }) };
}

/** Play the server's answers, and note what the attempt does. */
async function attempt(
  answers: readonly Answer<string>[],
  { isStoppedAfter = Infinity, lostBefore = 0 } = {},
) {
  const delays: number[] = [];
  const lost: number[] = [];
  let calls = 0;
  const outcome = await sendUntilAnswered(() => Promise.resolve(answers[calls++] ?? answered), {
    lostBefore,
    wait: (delay) => {
      delays.push(delay);
      return Promise.resolve();
    },
    isStopped: () => calls >= isStoppedAfter,
    onLost: (count) => lost.push(count),
  });
  return { outcome, calls, delays, lost };
}

describe("an attempt", () => {
  it("sends once if the first answer arrives", async () => {
    expect(await attempt([answered])).toEqual({
      outcome: { kind: "answered", data: "paid" },
      calls: 1,
      delays: [],
      lost: [],
    });
  });

  it("asks again for each lost answer, more and more slowly", async () => {
    const { outcome, delays, lost } = await attempt([LOST, LOST, LOST, LOST, LOST, LOST, answered]);
    expect(outcome.kind).toBe("answered");
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000]);
    expect(lost).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.each(["TIMEOUT", "UNAVAILABLE", "INTERNAL"])("takes %s for a lost answer", async (code) => {
    expect((await attempt([failing(code)])).calls).toBe(2);
  });

  it("takes a gateway's 502 for a lost answer, and 400 for a refusal", async () => {
    expect((await attempt([status(502)])).calls).toBe(2);
    expect((await attempt([status(400)])).outcome.kind).toBe("notDone");
  });

  it.each(["FORBIDDEN", "BUSY", "RATE_LIMITED", "TOO_MANY_AT_ONCE"])(
    "knows after %s that nothing was done",
    async (code) => {
      const { outcome, calls } = await attempt([failing(code)]);
      expect(outcome.kind).toBe("notDone");
      expect(calls).toBe(1);
    },
  );

  it("waits for a busy server if an answer was lost before, because that request may have been done", async () => {
    const { outcome, calls } = await attempt([LOST, failing("BUSY"), failing("RATE_LIMITED"), answered]);
    expect(outcome.kind).toBe("answered");
    expect(calls).toBe(4);
  });

  it("knows nothing if the session ends after a lost answer", async () => {
    expect((await attempt([LOST, failing("UNAUTHENTICATED")])).outcome).toEqual({ kind: "unknown" });
  });

  it.each(["RATE_LIMITED", "BUSY", "TOO_MANY_AT_ONCE"])(
    "waits after %s if an earlier dialog lost an answer, because that request may have been done",
    async (code) => {
      const { outcome, calls, delays } = await attempt([failing(code), answered], { lostBefore: 1 });
      expect(outcome).toEqual({ kind: "answered", data: "paid" });
      expect([calls, delays]).toEqual([2, [500]]);
    },
  );

  it("waits after a 429 without a code if an earlier dialog lost an answer", async () => {
    const { outcome, calls } = await attempt([status(429), answered], { lostBefore: 1 });
    expect(outcome.kind).toBe("answered");
    expect(calls).toBe(2);
  });

  it.each([failing("UNAUTHENTICATED"), failing("FORBIDDEN"), status(401), status(400)])(
    "never says that nothing was done if an earlier dialog lost an answer (%#)",
    async (answer) => {
      const { outcome, calls } = await attempt([answer], { lostBefore: 1 });
      expect(outcome).toEqual({ kind: "unknown" });
      expect(calls).toBe(1);
    },
  );

  it("goes on with the count of the answers that were lost before", async () => {
    expect((await attempt([LOST, answered], { lostBefore: 1 })).lost).toEqual([2]);
  });

  it("knows nothing if the dialog is closed after a lost answer", async () => {
    const { outcome, calls } = await attempt([LOST, LOST, LOST, LOST], { isStoppedAfter: 2 });
    expect(outcome).toEqual({ kind: "unknown" });
    expect(calls).toBe(2);
  });
});
