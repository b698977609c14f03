/** The place of a page in a list with cursors: null is the first page. */
export type Cursor = { readonly after: string } | { readonly before: string } | null;

interface CursorVariables {
  readonly first?: number;
  readonly after?: string;
  readonly last?: number;
  readonly before?: string;
}

/** Return the variables that ask for the page at a cursor. */
export function cursorVariables(cursor: Cursor, rows: number): CursorVariables {
  if (cursor === null) return { first: rows };
  return "after" in cursor ? { first: rows, after: cursor.after } : { last: rows, before: cursor.before };
}
