// A client of one account: typed operations over fetch, with retries that never pay twice.
import type { TypedDocumentString } from './generated.ts';

export * from './generated.ts';

const RETRIED_STATUSES: readonly number[] = [429, 502, 503, 504];
const DELAY_MS = 200;
const DELAY_MS_MAX = 30_000;

export interface ClientOptions {
  /** The address of the API, such as https://renewals.example.com/graphql. */
  url: string;
  /** An API key, or a token of your own sign-in. */
  key: string;
  /** The language of messages; the account's amounts and dates do not depend on it. */
  language?: 'en' | 'zh';
  /** How often a request is sent if no response arrives or the server is unavailable. */
  attempts?: number;
  /** The time limit of one attempt. */
  timeoutMs?: number;
}

/** The server refused or failed the whole request. `code` is one of docs/errors.md, or empty. */
export class RequestError extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;

  constructor(message: string, code: string, response: Response) {
    super(`${code || response.status}: ${message}`);
    this.name = 'RequestError';
    this.code = code;
    this.status = response.status;
    this.requestId = response.headers.get('X-Request-Id');
  }
}

interface Body<Result> {
  data?: Result | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** No variables are needed where each of them has a default. */
type Arguments<Variables> = Partial<Variables> extends Variables ? [variables?: Variables] : [variables: Variables];

export class RenewalsClient {
  readonly #options: Required<ClientOptions>;

  constructor(options: ClientOptions) {
    this.#options = { language: 'en', attempts: 4, timeoutMs: 30_000, ...options };
  }

  /**
   * Runs an operation and returns its data. Each attempt sends the same body, so that a payment has the same
   * idempotency key each time and is charged once. Throws a RequestError, or what fetch throws.
   */
  async run<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    ...[variables]: Arguments<Variables>
  ): Promise<Result> {
    const [response, text] = await this.#send(JSON.stringify({ query: document.toString(), variables }));
    const body = parseBody<Result>(text);
    const error = body.errors?.[0];
    if (error) throw new RequestError(error.message, error.extensions?.code ?? '', response);
    if (!body.data) throw new RequestError('the response is not GraphQL', '', response);
    return body.data;
  }

  async #send(body: string): Promise<[Response, string]> {
    const { url, key, language, attempts, timeoutMs } = this.#options;
    const headers = {
      Accept: 'application/graphql-response+json, application/json',
      'Accept-Language': language,
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
    };
    for (let attempt = 1; ; attempt += 1) {
      let delay = DELAY_MS * 2 ** attempt * (0.5 + Math.random() / 2);
      try {
        const signal = AbortSignal.timeout(timeoutMs);
        const response = await fetch(url, { method: 'POST', headers, body, signal });
        const text = await response.text();
        if (!RETRIED_STATUSES.includes(response.status) || attempt >= attempts) return [response, text];
        delay = Math.max(delay, 1000 * (Number(response.headers.get('Retry-After')) || 0));
      } catch (error) {
        if (attempt >= attempts) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(delay, DELAY_MS_MAX)));
    }
  }
}

/** Returns a new idempotency key. Store it before the first attempt, and send it again after a crash. */
export function newKey(): string {
  return crypto.randomUUID();
}

function parseBody<Result>(text: string): Body<Result> {
  try {
    return (JSON.parse(text) ?? {}) as Body<Result>;
  } catch {
    return {};
  }
}
