// The settings that all generated types share, and a function that reads a file by its path relative to this folder.
import { readFileSync } from 'node:fs';

export const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');

export const settings = {
  // Amounts and instants are strings; a JavaScript number cannot hold every amount exactly.
  scalars: { ID: 'string', Money: 'string', DateTime: 'string', Date: 'string', JSON: 'unknown' },
  strictScalars: true,
  enumsAsTypes: true,
  skipTypename: true,
  onlyOperationTypes: true,
};
