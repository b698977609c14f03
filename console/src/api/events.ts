import { stringifyDocument } from "@urql/core";
import { createClient } from "graphql-sse";

import type { Language } from "../i18n/language";
import { API_URL, hashOf, requestHeaders } from "./client";
import { AccountEventsDocument, type AccountEventsSubscription } from "./generated/graphql";

type AccountEvent = AccountEventsSubscription["events"];

const DELAY_MS_MIN = 1_000;
const DELAY_MS_MAX = 60_000;

interface Listening {
  readonly token: string;
  readonly language: Language;
  readonly onEvent: (event: AccountEvent) => void;
}

/**
 * Call `onEvent` for each event of the account, until the returned function is called.
 *
 * After a cut it goes on from the last event, so that none is missed.
 */
export function listenToEvents({ token, language, onEvent }: Listening): () => void {
  const client = createClient({ url: API_URL, headers: requestHeaders(token, language), retryAttempts: 0 });
  let last: number | null = null;
  let delay = DELAY_MS_MIN;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  const start = () => {
    const again = () => {
      if (isStopped) return;
      timer = setTimeout(start, delay);
      delay = Math.min(2 * delay, DELAY_MS_MAX);
    };
    client.subscribe<AccountEventsSubscription>(payloadOf(last), {
      next: ({ data }) => {
        if (!data) return;
        delay = DELAY_MS_MIN;
        last = data.events.sequence;
        onEvent(data.events);
      },
      error: again,
      complete: again,
    });
  };
  start();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    client.dispose();
  };
}

function payloadOf(after: number | null) {
  const sha256Hash = import.meta.env.DEV ? null : hashOf(AccountEventsDocument);
  if (sha256Hash === null) return { query: stringifyDocument(AccountEventsDocument), variables: { after } };
  return { query: "", variables: { after }, extensions: { persistedQuery: { version: 1, sha256Hash } } };
}
