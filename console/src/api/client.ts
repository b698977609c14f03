import { Client, fetchExchange, mapExchange, type CombinedError, type Operation } from "@urql/core";

import { LANGUAGE_TAGS, type Language } from "../i18n/language";
import { codeOf } from "./errors";

export const API_URL = "/graphql";

interface ApiOptions {
  readonly token: string;
  /** Returns the language of the answers; a new one does not need a new client. */
  readonly getLanguage: () => Language;
  /** Called when the server no longer accepts the token; `hasWorked` is false if it never did. */
  readonly onUnauthenticated: (hasWorked: boolean) => void;
}

export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` };
}

/** Return the SHA-256 of a document, by which the server finds it in the manifest of the build. */
export function hashOf(document: object): string | null {
  const meta = "__meta__" in document ? (document.__meta__ as { readonly hash?: string }) : {};
  return meta.hash?.replace("sha256:", "") ?? null;
}

/**
 * Return a client that sends documents by their hash.
 *
 * It has no cache: pages ask anew, and `useApiQuery` repeats their queries after a change.
 */
export function createApiClient({ token, getLanguage, onUnauthenticated }: ApiOptions): Client {
  let hasWorked = false;
  return new Client({
    url: API_URL,
    preferGetMethod: false,
    requestPolicy: "network-only",
    fetchOptions: () => ({
      headers: { ...bearer(token), "Accept-Language": LANGUAGE_TAGS[getLanguage()] },
    }),
    exchanges: [
      mapExchange({
        onOperation: withHash,
        onResult: ({ error }) => {
          hasWorked ||= !error;
        },
        onError: (error: CombinedError) => {
          if (codeOf(error) === "UNAUTHENTICATED") onUnauthenticated(hasWorked);
        },
      }),
      fetchExchange,
    ],
  });
}

function withHash(operation: Operation): Operation {
  // The development server's documents are not in the manifest that the API has read.
  const sha256Hash = import.meta.env.DEV ? null : hashOf(operation.query);
  if (sha256Hash === null) return operation;
  return {
    ...operation,
    extensions: { ...operation.extensions, persistedQuery: { version: 1, sha256Hash } },
  };
}
