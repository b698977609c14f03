// Writes generated.ts: the types of the operations in renew.graphql, from the schema file.
import { writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typescript from '@graphql-codegen/typescript';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';
import { read, settings } from './settings.mjs';

const output = await codegen({
  filename: 'generated.ts',
  schema: parse(read('../../schema.graphql')),
  documents: [{ location: 'renew.graphql', document: parse(read('renew.graphql')) }],
  config: settings,
  plugins: [{ typescript: {} }, { operations: {} }],
  pluginMap: { typescript, operations },
});
writeFileSync(new URL(process.argv[2] ?? 'generated.ts', import.meta.url), `${output.trim()}\n`);
