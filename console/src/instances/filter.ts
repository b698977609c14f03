import type { InstanceFilter } from "../api/generated/graphql";
import { addDays, startOfDay } from "../format/time";
import type { ListState } from "./listState";

/** Return the API's filter for the state of the list; its days are those of the account's time zone. */
export function toInstanceFilter(state: ListState, timeZone: string): InstanceFilter {
  const { tab, expiresFrom, expiresTo, products, dataCenterTypes, statuses, search } = state;
  return {
    tab,
    ...(expiresFrom && { expiresFrom: startOfDay(expiresFrom, timeZone) }),
    ...(expiresTo && { expiresBefore: startOfDay(addDays(expiresTo, 1), timeZone) }),
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
