import type { CombinedError } from "@urql/core";

import { codeOf } from "../api/errors";

export type Answer<Data> =
  | { readonly data: Data; readonly error?: undefined }
  | { readonly data?: undefined; readonly error: CombinedError };

/** What is known after an attempt. */
export type Outcome<Data> =
  | { readonly kind: "answered"; readonly data: Data }
  /** The server refused the request before it did anything, and no earlier answer was lost. */
  | { readonly kind: "notDone"; readonly error: CombinedError }
  /** An answer was lost, and no later one says whether the request was done. */
  | { readonly kind: "unknown" };

interface AttemptOptions {
  /** The number of answers to this request that were lost earlier: the server may have done it already. */
  readonly lostBefore: number;
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly isStopped: () => boolean;
  /** Called with the number of answers that were lost so far, the earlier ones among them. */
  readonly onLost: (count: number) => void;
}

const DELAY_MS_MIN = 500;
const DELAY_MS_MAX = 10_000;
const BUSY_CODES: ReadonlySet<string> = new Set(["RATE_LIMITED", "TOO_MANY_AT_ONCE", "BUSY"]);
const LOST_CODES: ReadonlySet<string> = new Set([
  "NETWORK",
  "UNEXPECTED",
  "TIMEOUT",
  "UNAVAILABLE",
  "INTERNAL",
]);

/**
 * Send a request until an answer says what became of it.
 *
 * The request must be safe to repeat: it has an idempotency key, or sets something to a value.
 */
export async function sendUntilAnswered<Data>(
  send: () => Promise<Answer<Data>>,
  { lostBefore, wait, isStopped, onLost }: AttemptOptions,
): Promise<Outcome<Data>> {
  let lostCount = lostBefore;
  for (let delay = DELAY_MS_MIN; ; delay = Math.min(2 * delay, DELAY_MS_MAX)) {
    const { data, error } = await send();
    if (error === undefined) return { kind: "answered", data };
    const code = codeOf(error);
    if (isLost(error, code)) {
      lostCount += 1;
      onLost(lostCount);
    } else if (lostCount === 0) {
      return { kind: "notDone", error };
    } else if (!BUSY_CODES.has(code)) {
      return { kind: "unknown" };
    }
    await wait(delay);
    if (isStopped()) return { kind: "unknown" };
  }
}

/** Return whether the server may have done what was asked. A client's fault (4xx) is refused before anything is done. */
function isLost(error: CombinedError, code: string): boolean {
  const status = (error.response as Response | undefined)?.status ?? 0;
  return LOST_CODES.has(code) && !(code === "UNEXPECTED" && status >= 400 && status < 500);
}
