// Follows an account's events, and prints each event as a line of JSON: node follow.mjs URL KEY AFTER COUNT
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [url, key, after, count] = process.argv.slice(2);
const client = createClient({
  url,
  connectionParams: { Authorization: `Bearer ${key}` },
  webSocketImpl: globalThis.WebSocket ?? WebSocket, // Node.js has a WebSocket since version 22
});
const query =
  'subscription ($after: Int) { events(after: $after) { sequence type instanceId } }';

let left = Number(count);
for await (const answer of client.iterate({ query, variables: { after: Number(after) } })) {
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  console.log(JSON.stringify(answer.data.events));
  if (--left === 0) break;
}
await client.dispose();
