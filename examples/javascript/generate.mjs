// Writes generated.ts: the types of the operations in renew.graphql, from the schema file.
import { readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

// Amounts and instants are strings; a JavaScript number cannot hold an amount exactly.
const scalars = { Money: 'string', DateTime: 'string', Date: 'string', JSON: 'unknown' };

const output = await codegen({
  filename: 'generated.ts',
  schema: parse(read('../../schema.graphql')),
  documents: [{ location: 'renew.graphql', document: parse(read('renew.graphql')) }],
  config: { scalars, enumsAsTypes: true, skipTypename: true, strictScalars: true, onlyOperationTypes: true },
  plugins: [{ typescript: {} }, { operations: {} }],
  pluginMap: { typescript, operations },
});
writeFileSync(new URL(process.argv[2] ?? 'generated.ts', import.meta.url), `${output.trim()}\n`);
