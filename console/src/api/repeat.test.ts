import { CombinedError } from "@urql/core";
import { expect, it } from "vitest";

import { repeatWhileTransient } from "./repeat";

const LOST = { error: new CombinedError({ networkError: new TypeError("Failed to fetch") }) };
const REFUSED = {
  error: new CombinedError({ graphQLErrors: [{ message: "no", extensions: { code: "FORBIDDEN" } }] }),
};

function answering(answers: readonly { error?: CombinedError }[]) {
  let calls = 0;
  return {
    send: () => Promise.resolve(answers[calls++] ?? {}),
    calls: () => calls,
  };
}

it.each([
  ["an answer at once", [{}], 1],
  ["an answer after two that were lost", [LOST, LOST, {}], 3],
  ["a refusal, which is final", [REFUSED, {}], 1],
  ["no answer at all", [LOST, LOST, LOST, LOST, {}], 4],
])("sends until there is %s", async (_, answers, calls) => {
  const server = answering(answers);
  const answer = await repeatWhileTransient(server.send, [0, 0, 0]);
  expect(server.calls()).toBe(calls);
  expect(answer).toBe(answers[calls - 1]);
});
