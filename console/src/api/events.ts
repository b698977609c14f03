import { stringifyDocument } from "@urql/core";
import { createClient, NetworkError } from "graphql-sse";

import { API_URL, bearer, hashOf } from "./client";
import { AccountEventsDocument, type AccountEventsSubscription } from "./generated/graphql";

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 60_000;

interface Listening {
  readonly token: string;
  /** Called for each event, and after a cut, in which events may have been missed. */
  readonly onChange: () => void;
  readonly onUnauthenticated: () => void;
}

/** Listen to the events of the account until the returned function is called; connect again after a cut. */
export function listenToEvents({ token, onChange, onUnauthenticated }: Listening): () => void {
  const client = createClient({ url: API_URL, headers: bearer(token), retryAttempts: 0 });
  let last: number | null = null;
  let delay = DELAY_MS_MIN;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const connect = () => {
    const connectLater = () => {
      if (isStopped) return;
      timer = setTimeout(() => {
        connect();
        onChange();
      }, delay);
      delay = Math.min(2 * delay, DELAY_MS_MAX);
    };
    client.subscribe<AccountEventsSubscription>(requestAfter(last), {
      next: ({ data }) => {
        if (!data) return;
        delay = DELAY_MS_MIN;
        last = data.events.sequence;
        onChange();
      },
      error: (error) => {
        if (isRefusal(error)) onUnauthenticated();
        else connectLater();
      },
      complete: connectLater,
    });
  };
  connect();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    client.dispose();
  };
}

function requestAfter(after: number | null) {
  const variables = { after };
  const sha256Hash = import.meta.env.DEV ? null : hashOf(AccountEventsDocument);
  if (sha256Hash === null) return { query: stringifyDocument(AccountEventsDocument), variables };
  return { query: "", variables, extensions: { persistedQuery: { version: 1, sha256Hash } } };
}

function isRefusal(error: unknown): boolean {
  return error instanceof NetworkError && (error.response as Response | undefined)?.status === 401;
}
