import type { CombinedError } from "@urql/core";
import { useCallback, useEffect, useState } from "react";

import { codeOf, isTransient } from "../api/errors";
import { AdvanceTestClockDocument, type AdvanceTestClockMutation } from "../api/generated/graphql";
import { newIdempotencyKey } from "../api/idempotencyKey";
import { useRefresh } from "../api/refresh";
import { useApiMutation } from "../api/useApiMutation";

type Result = AdvanceTestClockMutation["advanceTestClock"];
export type ClockMoved = Extract<Result, { __typename: "AdvanceTestClockSuccess" }>;

/** A move of the clock. It keeps its key, so that asking again never moves the clock a second time. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly idempotencyKey: string;
}

type Outcome =
  | { readonly kind: "moved"; readonly moved: ClockMoved }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "failed"; readonly error: CombinedError; readonly retry: () => void };

interface ClockMove {
  readonly move: Move | null;
  /** Whether the API cannot be reached at present. */
  readonly isLost: boolean;
  readonly outcome: Outcome | null;
  readonly start: (from: string, to: string) => void;
  readonly dismiss: () => void;
}

/** While the clock moves, the page follows it at this interval. */
const FOLLOW_MS = 2_000;
/** Lost answers, each after several attempts, until the customer decides whether to go on: more than a minute. */
const LOST_MAX = 10;

/** Move the test clock, and wait for it however long it takes. */
export function useClockMove(): ClockMove {
  const { run } = useApiMutation(AdvanceTestClockDocument);
  const { refresh } = useRefresh();
  const [move, setMove] = useState<Move | null>(null);
  const [isLost, setIsLost] = useState(false);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => {
    if (!move) return;
    const timer = setInterval(refresh, FOLLOW_MS);
    return () => {
      clearInterval(timer);
    };
  }, [move, refresh]);
  const send = useCallback(
    async function sendMove(sent: Move): Promise<void> {
      setMove(sent);
      setOutcome(null);
      const { to, idempotencyKey } = sent;
      let answer = await run({ input: { to, idempotencyKey } });
      // A long move outlasts the request, and a server may be restarted on the way; the same key waits for the move.
      for (let lost = 0; answer.error && isTransient(answer.error) && lost < LOST_MAX;) {
        const isLate = codeOf(answer.error) === "TIMEOUT";
        lost = isLate ? 0 : lost + 1;
        setIsLost(!isLate);
        answer = await run({ input: { to, idempotencyKey } });
      }
      setIsLost(false);
      setMove(null);
      const { data, error } = answer;
      if (error) {
        setOutcome({ kind: "failed", error, retry: () => void sendMove(sent) });
      } else if (data?.advanceTestClock.__typename === "AdvanceTestClockSuccess") {
        setOutcome({ kind: "moved", moved: data.advanceTestClock });
      } else if (data) {
        setOutcome({ kind: "refused", message: data.advanceTestClock.message });
      }
    },
    [run],
  );
  const start = useCallback(
    (from: string, to: string) => {
      void send({ from, to, idempotencyKey: newIdempotencyKey() });
    },
    [send],
  );
  const dismiss = useCallback(() => {
    setOutcome(null);
  }, []);
  return { move, isLost, outcome, start, dismiss };
}
