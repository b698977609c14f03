import type { CombinedError } from "@urql/core";

import { isTransient } from "./errors";

interface Result {
  readonly error?: CombinedError | undefined;
}

/** Pauses before the second, third and fourth attempt. */
const PAUSES_MS: readonly number[] = [1_000, 2_000, 4_000];

/** Send a request, and send it again while its answer is lost or the server is busy. */
export async function repeatWhileTransient<Answer extends Result>(
  send: () => Promise<Answer>,
  pausesMs: readonly number[] = PAUSES_MS,
): Promise<Answer> {
  let answer = await send();
  for (const pause of pausesMs) {
    if (!answer.error || !isTransient(answer.error)) break;
    await new Promise((resolve) => setTimeout(resolve, pause));
    answer = await send();
  }
  return answer;
}
