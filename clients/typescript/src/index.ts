// A client of one account: typed operations over fetch, with retries that do not charge a payment twice.
import type { DocumentTypeDecoration } from './generated.ts';

export * from './generated.ts';

const RETRIED_STATUSES: readonly number[] = [429, 502, 503, 504];
const DELAY_MS = 200;
const DELAY_MS_MAX = 30_000;
const RETRY_AFTER_MS_MAX = 120_000;

export interface ClientOptions {
  /** The address of the API, such as https://renewals.example.com/graphql. */
  url: string;
  /** An API key, or a token of your own sign-in. */
  key: string;
  /** The language of messages, English by default. Amounts and dates do not depend on it. */
  language?: 'en' | 'zh' | undefined;
  /**
   * The maximum number of times that a request is sent if no response arrives or the server is unavailable: 4 by
   * default.
   */
  attempts?: number | undefined;
  /** The time limit of one attempt: 30 s by default. */
  timeoutMs?: number | undefined;
}

/**
 * The error of a request whose response has a GraphQL error or is not GraphQL. `code` is a code of docs/errors.md, or
 * empty if the response is not GraphQL.
 */
export class RequestError extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;
  /** The part of the response that did not fail: a payment may have been made even if a field of its order failed. */
  readonly data: unknown;

  constructor(message: string, code: string, response: Response, data?: unknown) {
    super(`${code || response.status}: ${message}`);
    this.name = 'RequestError';
    this.code = code;
    this.status = response.status;
    this.requestId = response.headers.get('X-Request-Id');
    this.data = data ?? null;
  }
}

interface Body<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** The arguments of `run` after the document: the variables, optional if each variable is nullable or has a default. */
type Arguments<Variables> = {} extends Variables ? [variables?: Variables] : [variables: Variables];

export class RenewalsClient {
  readonly #url: string;
  readonly #headers: Record<string, string>;
  readonly #attempts: number;
  readonly #timeoutMs: number;

  constructor({ url, key, language = 'en', attempts = 4, timeoutMs = 30_000 }: ClientOptions) {
    if (!Number.isInteger(attempts) || attempts < 1) {
      throw new RangeError(`attempts must be a whole number of at least 1, not ${attempts}`);
    }
    this.#url = url;
    this.#attempts = attempts;
    this.#timeoutMs = timeoutMs;
    this.#headers = {
      Accept: 'application/graphql-response+json, application/json',
      'Accept-Language': language,
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
    };
    // Without this check, fetch would throw a TypeError, as if no response had arrived, and each attempt would fail.
    const request = new Request(url, { method: 'POST', headers: this.#headers });
    if (!/^https?:/.test(request.url)) throw new TypeError(`url must begin with https:// or http://, not ${url}`);
  }

  /**
   * Runs an operation and returns its data. Each attempt sends the same body with the same idempotency key, so that a
   * payment is charged once. The document is from this package, or a string document of your own generator. Throws a
   * RequestError, or the error of fetch if the last attempt gets no response.
   */
  async run<Result, Variables>(
    document: String & DocumentTypeDecoration<Result, Variables>,
    ...[variables]: Arguments<Variables>
  ): Promise<Result> {
    const [response, text] = await this.#send(JSON.stringify({ query: document.toString(), variables }));
    const body = parseBody<Result>(text);
    const error = body.errors?.[0];
    if (error) throw new RequestError(error.message, error.extensions?.code ?? '', response, body.data);
    if (!body.data) throw new RequestError('the response is not GraphQL', '', response);
    return body.data;
  }

  async #send(body: string): Promise<[Response, string]> {
    for (let attempt = 1; ; attempt += 1) {
      // 50 % to 100 % of the delay, so that clients do not all retry at the same time.
      let delay = Math.min(DELAY_MS * 2 ** attempt, DELAY_MS_MAX) * (0.5 + Math.random() / 2);
      const signal = AbortSignal.timeout(this.#timeoutMs);
      try {
        const response = await fetch(this.#url, { method: 'POST', headers: this.#headers, body, signal });
        const text = await response.text();
        const retryAfter = retryAfterMs(response);
        const isFinal = !RETRIED_STATUSES.includes(response.status) || attempt >= this.#attempts;
        if (isFinal || retryAfter > RETRY_AFTER_MS_MAX) return [response, text];
        delay += retryAfter;
      } catch (error) {
        if (attempt >= this.#attempts) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}

/** Returns a new idempotency key. Store it before the first attempt, and send it again after a crash. */
export function newKey(): string {
  return crypto.randomUUID();
}

function retryAfterMs(response: Response): number {
  const seconds = response.headers.get('Retry-After') ?? '';
  return /^\d+$/.test(seconds) ? 1000 * Number(seconds) : 0;
}

function parseBody<Result>(text: string): Body<Result> {
  try {
    return (JSON.parse(text) ?? {}) as Body<Result>;
  } catch {
    return {};
  }
}
