import type { InstanceFilter } from "../api/generated/graphql";
import type { ListState } from "./listState";

/** Return the API's filter for the state of the list. */
export function toInstanceFilter(state: ListState): InstanceFilter {
  const { tab, expiresFrom, expiresTo, products, dataCenterTypes, statuses, search } = state;
  return {
    tab,
    ...(expiresFrom && { expiresOnFrom: expiresFrom }),
    ...(expiresTo && { expiresOnTo: expiresTo }),
    ...(products.length > 0 && { products: [...products] }),
    ...(dataCenterTypes.length > 0 && { dataCenterTypes: [...dataCenterTypes] }),
    ...(statuses.length > 0 && { status: [...statuses] }),
    ...(search !== "" && { search }),
  };
}

/** Return the filter of what can be selected: members of bundles cannot take part in a batch (rule 10). */
export function selectableFilter(filter: InstanceFilter): InstanceFilter {
  return { ...filter, bundled: false };
}
