// Compose subgraphs into supergraphs, and plan a query on each supergraph, as a gateway does.
// stdin: [{"subgraphs": {name: SDL}, "query": "..."}]
// stdout: for each of them {"errors": [text]} or {"fetches": [{"subgraph", "query", "isOfEntities"}]}
import { readFileSync } from "node:fs";

import { composeServices } from "@apollo/composition";
import { Supergraph, operationFromDocument } from "@apollo/federation-internals";
import { QueryPlanner } from "@apollo/query-planner";
import { parse } from "graphql";

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(compose)));

function compose({ subgraphs, query }) {
  const services = Object.entries(subgraphs).map(([name, sdl]) => ({ name, typeDefs: parse(sdl) }));
  const { errors, supergraphSdl } = composeServices(services);
  return errors ? { errors: errors.map(String) } : { fetches: planFetches(supergraphSdl, query) };
}

function planFetches(supergraphSdl, query) {
  const supergraph = Supergraph.build(supergraphSdl);
  const operation = operationFromDocument(supergraph.apiSchema(), parse(query));
  return listFetches(new QueryPlanner(supergraph).buildQueryPlan(operation).node);
}

function listFetches(node) {
  if (node.kind !== "Fetch") return (node.nodes ?? [node.node]).flatMap(listFetches);
  return [{ subgraph: node.serviceName, query: node.operation, isOfEntities: Boolean(node.requires) }];
}
