// Renews the MANUAL instances that expire within DAYS days, for one month: node renew.ts URL KEY DAYS
// Node.js before version 22.18 cannot run TypeScript. Run `npm run build`, then: node renew.js URL KEY DAYS
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AnyVariables, Client, fetchExchange } from '@urql/core';
import { parse, type DocumentNode, type OperationDefinitionNode } from 'graphql';
import type {
  ExpiringQuery,
  ExpiringQueryVariables,
  QuoteQuery,
  QuoteQueryVariables,
  RenewMutation,
  RenewMutationVariables,
} from './generated.ts';

const [url, key, days] = process.argv.slice(2);
const client = new Client({
  url: url!,
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetchOptions: { headers: { Authorization: `Bearer ${key}` } },
});

const { definitions } = parse(readFileSync(new URL('renew.graphql', import.meta.url), 'utf8'));
const operations = definitions as readonly OperationDefinitionNode[];

function operation(name: string): DocumentNode {
  return { kind: 'Document', definitions: operations.filter((each) => each.name?.value === name) } as DocumentNode;
}

async function ask<Data, Variables extends AnyVariables>(name: string, variables: Variables): Promise<Data> {
  const run = name === 'Renew' ? client.mutation<Data, Variables> : client.query<Data, Variables>;
  const { data, error } = await run.call(client, operation(name), variables);
  if (error || !data) throw error ?? new Error('the response has no data');
  return data;
}

const expiring = await ask<ExpiringQuery, ExpiringQueryVariables>('Expiring', { days: Number(days) });
const ids = expiring.instances.nodes.map((instance) => instance.id);
if (ids.length === 0) {
  console.log('nothing expires');
  process.exit();
}

const { quoteRenewal: quote } = await ask<QuoteQuery, QuoteQueryVariables>('Quote', { ids });
console.log(`${quote.lines.length} instances for ${quote.total}, ${quote.refusalCount} refused`);

// The same periods have the same key, so a repeated run, even after a lost response, does not pay twice.
const periods = quote.lines.map((line) => `${line.instanceId} ${line.startsAt}`).sort();
const idempotencyKey = createHash('sha256').update(periods.join('\n')).digest('hex');
const { renewInstances: result } = await ask<RenewMutation, RenewMutationVariables>('Renew', {
  input: {
    selection: { ids: quote.lines.map((line) => line.instanceId) },
    months: 1,
    expectedTotal: quote.total,
    idempotencyKey,
  },
});
if (result.__typename === 'RenewInstancesSuccess') {
  console.log(`order of ${result.order.total}, balance ${result.account.balance}`);
} else {
  console.error(`${result.__typename}: ${result.message}`);
  process.exitCode = 1;
}
