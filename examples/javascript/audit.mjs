// Audits whether a server complies with GraphQL over HTTP:  node audit.mjs http://127.0.0.1:8000/graphql <key>
import { auditServer } from "graphql-http";

const [url, key] = process.argv.slice(2);
const results = await auditServer({
  url,
  fetchFn: (address, options = {}) =>
    fetch(address, { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } }),
});
const failed = results.filter((result) => result.status !== "ok");
for (const { id, name, status, reason } of failed) console.log(`${status}: ${id} ${name}: ${reason}`);
console.log(`${results.length - failed.length} of ${results.length} audits`);
process.exitCode = failed.length ? 1 : 0;
