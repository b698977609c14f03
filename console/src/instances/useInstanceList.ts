import { useMemo } from "react";

import { InstanceListDocument, type InstanceRowFragment } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { selectableFilter, toInstanceFilter } from "./filter";
import type { ListState } from "./listState";

export type InstanceRow = InstanceRowFragment;

/** Ask for the page of the list that a state describes. */
export function useInstanceList(state: ListState) {
  const filter = useMemo(() => toInstanceFilter(state), [state]);
  const variables = useMemo(
    () => ({
      filter,
      selectable: selectableFilter(filter),
      orderBy: { field: state.sortField, direction: state.sortDirection },
      first: state.pageSize,
      offset: (state.page - 1) * state.pageSize,
    }),
    [filter, state.sortField, state.sortDirection, state.pageSize, state.page],
  );
  const { data, error, isLoading, reload } = useApiQuery(InstanceListDocument, variables);
  return {
    rows: data?.instances.nodes ?? [],
    totalCount: data?.instances.totalCount ?? 0,
    tabCounts: data?.instances.facets.tabs ?? [],
    selectableCount: data?.selectable.totalCount ?? 0,
    selectableFilter: variables.selectable,
    error,
    isLoading,
    reload,
  };
}
