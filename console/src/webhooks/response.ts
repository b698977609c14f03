interface Response {
  readonly status: number | null;
  readonly error: string | null;
  readonly response: string | null;
}

/** Return the response to a request in a line: its status and the beginning of its body, or why there was none. */
export function responseOf({ status, error, response }: Response): string {
  const parts = [status === null ? null : `HTTP ${status}`, error, response];
  return parts.filter((part) => part !== null && part !== "").join(" · ") || "-";
}
