// Writes the types and the documents of clients/typescript from clients/operations.graphql, for scripts/clients.py.
// The script is in this folder because its packages are installed here, and not in clients/typescript.
import { writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as documents from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import * as typescript from '@graphql-codegen/typescript';
import { parse } from 'graphql';
import { read, settings } from './settings.mjs';

const output = await codegen({
  filename: 'generated.ts',
  schema: parse(read('../../schema.graphql')),
  documents: [
    { location: 'operations.graphql', document: parse(read('../../clients/operations.graphql')) },
  ],
  config: {
    ...settings,
    useTypeImports: true,
    documentMode: 'string',
    avoidOptionals: { field: true, inputValue: false, object: false, defaultValue: false },
  },
  plugins: [{ typescript: {} }, { operations: {} }, { documents: {} }],
  pluginMap: { typescript, operations, documents },
});
// The package has no dependencies, so it defines the only type that the documents import.
const imported = /^import type \{ DocumentTypeDecoration \}.*$/m;
const defined =
  'export interface DocumentTypeDecoration<Result, Variables> {\n  __apiType?: (variables: Variables) => Result;\n}';
writeFileSync(new URL(process.argv[2]), `${output.replace(imported, defined).trim()}\n`);
