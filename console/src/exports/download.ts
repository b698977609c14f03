/** A finished download. */
export interface Download {
  readonly blob: Blob;
  readonly fileName: string;
}

/** Why there is no file: a refusal with the server's words, an answer that was cut, or a session that has ended. */
export type DownloadFailure =
  | { readonly kind: "unauthenticated" }
  | { readonly kind: "refused"; readonly message: string }
  | { readonly kind: "busy" }
  | { readonly kind: "cut" };

export class DownloadError extends Error {
  constructor(readonly failure: DownloadFailure) {
    super(failure.kind);
  }
}

interface DownloadRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
}

const BUSY_STATUSES = [429, 503];

/** Fetch a file with the session's token. An answer that is cut is never a file. Raises DownloadError. */
export async function download({ url, headers, signal, onProgress }: DownloadRequest): Promise<Download> {
  const response = await fetch(url, { headers, signal }).catch(failUnless(signal));
  if (response.status === 401) throw new DownloadError({ kind: "unauthenticated" });
  if (BUSY_STATUSES.includes(response.status)) throw new DownloadError({ kind: "busy" });
  if (!response.ok || !response.body)
    throw new DownloadError({ kind: "refused", message: await readMessage(response) });
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch(failUnless(signal));
    if (done) break;
    parts.push(value);
    bytes += value.byteLength;
    onProgress(bytes);
  }
  const type = response.headers.get("Content-Type") ?? "application/octet-stream";
  return {
    blob: new Blob(parts, { type }),
    fileName: fileNameOf(response.headers.get("Content-Disposition")),
  };
}

/** Return the name in a Content-Disposition header: the one in UTF-8 if there is one. */
export function fileNameOf(disposition: string | null): string {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (encoded !== undefined) return decodeURIComponent(encoded);
  return /filename="([^"]+)"/i.exec(disposition ?? "")?.[1] ?? "export";
}

/** Return the first error's message of an answer, or its status. */
async function readMessage(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const errors = (body as { errors?: { message?: unknown }[] } | null)?.errors;
  const message = errors?.[0]?.message;
  return typeof message === "string" ? message : `HTTP ${response.status}`;
}

function failUnless(signal: AbortSignal) {
  return (error: unknown): never => {
    if (signal.aborted) throw error;
    throw new DownloadError({ kind: "cut" });
  };
}
