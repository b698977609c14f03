import type { AnyVariables, OperationResult, TypedDocumentNode } from "@urql/core";
import { useCallback, useRef, useState } from "react";
import { useClient } from "urql";

import { useRefresh } from "./refresh";
import { repeatWhileTransient } from "./repeat";

interface ApiMutation<Data, Variables extends AnyVariables> {
  /** Send the mutation. A second call during the first one gets the answer of the first. */
  readonly run: (variables: Variables) => Promise<OperationResult<Data, Variables>>;
  readonly isRunning: boolean;
}

/**
 * Change the account, and ask anew for what the page shows.
 *
 * A lost answer is asked for again with the same variables, so a mutation that pays or creates must have its
 * idempotency key in them.
 */
export function useApiMutation<Data, Variables extends AnyVariables>(
  mutation: TypedDocumentNode<Data, Variables>,
): ApiMutation<Data, Variables> {
  const client = useClient();
  const { refresh } = useRefresh();
  const running = useRef<Promise<OperationResult<Data, Variables>> | null>(null);
  const [isRunning, setIsRunning] = useState(false);
  const run = useCallback(
    (variables: Variables) => {
      if (running.current) return running.current;
      setIsRunning(true);
      const answer = repeatWhileTransient(() => client.mutation(mutation, variables).toPromise()).finally(
        () => {
          running.current = null;
          setIsRunning(false);
          refresh();
        },
      );
      running.current = answer;
      return answer;
    },
    [client, mutation, refresh],
  );
  return { run, isRunning };
}
