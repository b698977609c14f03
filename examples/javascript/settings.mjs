// What all generated types have in common, and how a file beside this one is read.
import { readFileSync } from 'node:fs';

export const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

export const settings = {
  // Amounts and instants are strings; a JavaScript number cannot hold an amount exactly.
  scalars: { ID: 'string', Money: 'string', DateTime: 'string', Date: 'string', JSON: 'unknown' },
  strictScalars: true,
  enumsAsTypes: true,
  skipTypename: true,
  onlyOperationTypes: true,
};
