import type { InstanceFilter, TagFilter } from "../api/generated/graphql";
import type { ListState } from "./listState";

/** Return the API's filter for the state of the list. */
export function toInstanceFilter(state: ListState): InstanceFilter {
  const { tab, expiresFrom, expiresTo, products, dataCenterTypes, statuses, tags, search } = state;
  return {
    tab,
    ...(expiresFrom && { expiresOnFrom: expiresFrom }),
    ...(expiresTo && { expiresOnTo: expiresTo }),
    ...(products.length > 0 && { products: [...products] }),
    ...(dataCenterTypes.length > 0 && { dataCenterTypes: [...dataCenterTypes] }),
    ...(statuses.length > 0 && { status: [...statuses] }),
    ...(tags.length > 0 && { tags: toTagFilters(tags) }),
    ...(search !== "" && { search }),
  };
}

/** Return the filters of tags written as key or key=value: any of a key's values, and all keys, must hold. */
export function toTagFilters(tags: readonly string[]): TagFilter[] {
  const values = new Map<string, string[]>();
  const anyValue = new Set<string>();
  for (const tag of tags) {
    const [key = "", ...rest] = tag.split("=");
    if (rest.length === 0) anyValue.add(key.trim());
    else values.set(key.trim(), [...(values.get(key.trim()) ?? []), rest.join("=").trim()]);
  }
  return [
    ...[...anyValue].map((key) => ({ key })),
    ...[...values].map(([key, allowed]) => ({ key, values: allowed })),
  ];
}

/** Return the filter of what can be selected: members of bundles cannot take part in a batch (rule 10). */
export function selectableFilter(filter: InstanceFilter): InstanceFilter {
  return { ...filter, bundled: false };
}
