import type { InstanceFilter } from "../api/generated/graphql";

/** The selected instances: by id, or all that match the filters except some. It outlives pages and refreshes. */
export type Selection =
  | { readonly kind: "ids"; readonly ids: ReadonlySet<string> }
  | { readonly kind: "matching"; readonly except: ReadonlySet<string> };

/** The API's input `Selection`. */
export type SelectionInput = { ids: string[] } | { matching: { filter: InstanceFilter; except: string[] } };

export const NOTHING: Selection = { kind: "ids", ids: new Set() };
export const EVERYTHING: Selection = { kind: "matching", except: new Set() };

export function isSelected(selection: Selection, id: string): boolean {
  return selection.kind === "ids" ? selection.ids.has(id) : !selection.except.has(id);
}

/** Return the selection with some instances added or removed. */
export function select(selection: Selection, ids: Iterable<string>, isAdded: boolean): Selection {
  return selection.kind === "ids"
    ? { kind: "ids", ids: changed(selection.ids, ids, isAdded) }
    : { kind: "matching", except: changed(selection.except, ids, !isAdded) };
}

/** Return the number of selected instances; `matchingCount` is the number that match and can be selected. */
export function countOf(selection: Selection, matchingCount: number): number {
  return selection.kind === "ids" ? selection.ids.size : Math.max(0, matchingCount - selection.except.size);
}

/** Return the selection as the API takes it. `filter` must be the one under which everything was selected. */
export function toSelectionInput(selection: Selection, filter: InstanceFilter): SelectionInput {
  return selection.kind === "ids"
    ? { ids: [...selection.ids] }
    : { matching: { filter, except: [...selection.except] } };
}

function changed(ids: ReadonlySet<string>, some: Iterable<string>, isAdded: boolean): ReadonlySet<string> {
  const result = new Set(ids);
  for (const id of some) {
    if (isAdded) result.add(id);
    else result.delete(id);
  }
  return result;
}
