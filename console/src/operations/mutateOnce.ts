import { CombinedError, type AnyVariables, type Client, type TypedDocumentNode } from "@urql/core";

import type { Answer } from "./attempt";

const WAIT_SECONDS_MAX = 60;

/** Send a mutation once. Without an answer in a minute, the answer counts as lost. */
export function mutateOnce<Data, Variables extends AnyVariables>(
  client: Client,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
): Promise<Answer<Data>> {
  return new Promise((resolve) => {
    const lost = new CombinedError({ networkError: new Error(`No answer in ${WAIT_SECONDS_MAX} seconds`) });
    const subscription = client.mutation(document, variables).subscribe(({ data, error }) => {
      clearTimeout(timer);
      if (data && !error) resolve({ data });
      else resolve({ error: error ?? lost });
    });
    const timer = setTimeout(() => {
      subscription.unsubscribe();
      resolve({ error: lost });
    }, WAIT_SECONDS_MAX * 1_000);
  });
}
