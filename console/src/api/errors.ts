import type { CombinedError } from "@urql/core";

import type { Messages } from "../i18n/messages";

/** Return the code of a request's error: `extensions.code` of its first error, or NETWORK without an answer. */
export function codeOf(error: CombinedError): string {
  const code = error.graphQLErrors[0]?.extensions["code"];
  if (typeof code === "string") return code;
  const status = (error.response as Response | undefined)?.status;
  if (status === 401) return "UNAUTHENTICATED";
  if (status === 429) return "RATE_LIMITED";
  return status === undefined ? "NETWORK" : "UNEXPECTED";
}

/** Return a sentence for a person: the server's own where it explains a refusal. */
export function messageOf(error: CombinedError, texts: Messages["common"]["errors"]): string {
  switch (codeOf(error)) {
    case "NETWORK":
      return texts.network;
    case "RATE_LIMITED":
    case "TOO_MANY_AT_ONCE":
      return texts.tooMany;
    case "FORBIDDEN":
      return texts.forbidden;
    case "DOCUMENT_NOT_TRUSTED":
      return texts.outdated;
    case "INTERNAL":
    case "TIMEOUT":
    case "UNAVAILABLE":
    case "UNEXPECTED":
      return texts.unexpected;
    default:
      return error.graphQLErrors[0]?.message ?? texts.unexpected;
  }
}

/** Return whether the same request may succeed when it is sent again: its answer was lost, or the server was busy. */
export function isTransient(error: CombinedError): boolean {
  return ["NETWORK", "UNEXPECTED", "TIMEOUT", "UNAVAILABLE"].includes(codeOf(error));
}
