// Does what the console's page does, with the packed client: node page.js URL KEY EXPIRED_KEY. Prints JSON.
import {
  type ClientOptions,
  ForecastDocument,
  LedgerDocument,
  ListDocument,
  newKey,
  QuoteRenewalDocument,
  RenewalsClient,
  RenewDocument,
  RequestError,
  type RenewInstancesInput,
  type RenewMutation,
} from 'renewals-client';
import { renewExpiring } from './readme.js';

declare const process: { argv: string[] };
const [, , url, key, expiredKey] = process.argv as [string, string, string, string, string];
const client = new RenewalsClient({ url, key });

// Each body that was sent; `lost` responses are lost after the server has sent them.
const sent: unknown[] = [];
let lost = 0;
const send = globalThis.fetch;
globalThis.fetch = async (...request: Parameters<typeof fetch>): Promise<Response> => {
  sent.push(request[1]?.body);
  const response = await send(...request);
  if (lost-- > 0) throw new TypeError('the response is lost');
  return response;
};

// A document of the reader's own generator, which declares a class of its own.
class OwnDocument<Result, Variables> extends String {
  __apiType?: (variables: Variables) => Result;
  private value: string;

  constructor(value: string) {
    super(value);
    this.value = value;
  }

  override toString(): string {
    return this.value;
  }
}
const own = new OwnDocument<{ account: { id: string } }, Record<string, never>>('{ account { id } }');
const accountId: string = (await client.run(own)).account.id;

const { viewer, instances } = await client.run(ListDocument, { filter: { expiresOnTo: '2027-01-31' }, first: 2 });
const balance: string = viewer.account.balance;
const ids = instances.nodes.map((instance) => instance.id);
const { quoteRenewal: quote } = await client.run(QuoteRenewalDocument, { input: { selection: { ids }, months: 1 } });

async function renew(input: Partial<RenewInstancesInput>): Promise<RenewMutation['renewInstances']> {
  const whole = { selection: { ids: ['i-1'] }, months: 1, idempotencyKey: newKey(), ...input };
  return (await client.run(RenewDocument, { input: whole })).renewInstances;
}

function describe(result: RenewMutation['renewInstances']): string {
  switch (result.__typename) {
    case 'RenewInstancesSuccess':
      return `order of ${result.order.total}, balance ${result.account.balance}`;
    case 'PriceChanged':
      return `${result.expectedTotal} is now ${result.total}`;
    case 'InsufficientFunds':
      return `short of ${result.shortfall}`;
    case 'NotRenewable':
      return result.refusals.map((refusal) => refusal.code).join();
    default:
      return result.message;
  }
}

const request = { selection: { ids }, expectedTotal: quote.total, idempotencyKey: newKey() };
const refused = [
  await renew({ expectedTotal: '1.00' }),
  await renew({ selection: { ids: [...ids, 'i-3'] } }),
  await renew({ selection: { ids: ['i-9'] } }),
];
sent.length = 0;
lost = 2;
const renewed = await renew(request);
const bodies = sent.length;
const different = new Set(sent).size;
const again = await renew(request);

let refusal: unknown;
try {
  await new RenewalsClient({ url, key: expiredKey }).run(LedgerDocument);
} catch (error) {
  if (error instanceof RequestError) refusal = [error.code, error.status, error.requestId !== null];
}
function messageOf(options: Partial<ClientOptions>): string {
  try {
    return String(new RenewalsClient({ url, key, ...options }));
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

function respond(response: Response): void {
  sent.length = 0;
  globalThis.fetch = async (...request: Parameters<typeof fetch>): Promise<Response> => {
    sent.push(request[1]?.body);
    return response.clone();
  };
}

/** What a client with the default options makes of a response: how often it sends, and the error's facts. */
async function sendsTo(response: Response): Promise<unknown> {
  respond(response);
  try {
    await new RenewalsClient({ url, key, attempts: undefined, timeoutMs: undefined }).run(ForecastDocument);
  } catch (error) {
    if (error instanceof RequestError) return [sent.length, error.status, error.data];
  }
  return sent.length;
}

const readme = await renewExpiring(url, key, 30, newKey());
const unavailable = await sendsTo(new Response('', { status: 503 }));
const tooLong = await sendsTo(new Response('', { status: 429, headers: { 'Retry-After': '121' } }));
const partial = await sendsTo(Response.json({ data: { forecast: 1 }, errors: [{ message: 'Failed.' }] }));
console.log(
  JSON.stringify({
    accountId,
    balance,
    tabs: instances.facets?.tabs.find((tab) => tab.value === 'MANUAL')?.count,
    total: quote.total,
    refused: refused.map(describe),
    renewed: [renewed, again].map(describe),
    bodies: [bodies, different],
    refusal,
    readme,
    responses: [unavailable, tooLong, partial],
    options: [messageOf({ attempts: 0 }), messageOf({ attempts: NaN }), messageOf({ url: 'ftp://test' })],
    invalid: [messageOf({ url: 'http://' }), messageOf({ key: 'a\nb' })].map((message) => message !== ''),
  }),
);

export function refusedByTheCompiler(): void {
  // @ts-expect-error an amount is a string, because a number would not be exact
  void renew({ expectedTotal: 600 });
  // @ts-expect-error a selection has ids or a filter, not both
  void renew({ selection: { ids: [], matching: { filter: {} } } });
  // @ts-expect-error the input has no default
  void client.run(RenewDocument);
}
