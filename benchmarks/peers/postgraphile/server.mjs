// PostGraphile 5 in library mode, as its documentation shows: the amber preset on the same tables, and conditions for
// the filters of the list that are not equalities. The key is looked up before a request is passed on. The client sends
// the account as a condition, because row-level security would cost PostGraphile one more transaction per request.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import pg from "pg";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { TYPES } from "postgraphile/@dataplan/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { addPgTableCondition } from "postgraphile/utils";

const instances = { schemaName: "public", tableName: "instances" };
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL_SIZE) });

const isManageable = addPgTableCondition(
  instances,
  "isManageable",
  (build) => ({ type: build.graphql.GraphQLBoolean }),
  (_, { sql, sqlTableAlias: i }) =>
    sql`NOT ${i}.is_trial AND ${i}.billing_mode <> 'ONE_OFF' AND ${i}.status <> 'RELEASED'
      AND EXISTS (SELECT FROM products p WHERE p.code = ${i}.product_code AND p.renewable)`,
);

const expires = (name, compare) =>
  addPgTableCondition(
    instances,
    name,
    (build) => ({ type: build.getInputTypeByName("Datetime") }),
    (value, { sql, sqlTableAlias: i, sqlValueWithCodec }) =>
      compare(sql, sql`${i}.expires_at`, sqlValueWithCodec(value, TYPES.timestamptz)),
  );

const preset = {
  extends: [PostGraphileAmberPreset],
  disablePlugins: ["PgIndexBehaviorsPlugin"], // all columns may be filtered and ordered by
  plugins: [
    isManageable,
    expires("expiresFrom", (sql, column, value) => sql`${column} >= ${value}`),
    expires("expiresBefore", (sql, column, value) => sql`${column} < ${value}`),
  ],
  pgServices: [makePgService({ pool, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", watch: false },
  grafast: { explain: false },
};

const serv = postgraphile(preset).createServ(grafserv);
const server = createServer();
await serv.addTo(server);
const [serve] = server.listeners("request");
server.removeListener("request", serve);
server.on("request", async (request, response) => {
  const [scheme, key = ""] = (request.headers.authorization ?? "").split(" ");
  const hash = createHash("sha256").update(key).digest();
  const { rows } = await pool.query({
    name: "account",
    text: "SELECT account_id FROM api_keys WHERE secret_hash = $1",
    values: [hash],
  });
  if (scheme.toLowerCase() !== "bearer" || rows.length === 0) {
    response.writeHead(401).end();
  } else {
    serve(request, response);
  }
});
server.listen(Number(process.argv[2]), "127.0.0.1");
