import { useMemo, type ReactNode } from "react";
import { useLocation } from "wouter";

import { InstanceListDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { selectableFilter, toInstanceFilter } from "./filter";
import { InstanceListContext, type InstanceList } from "./useInstanceList";
import { useListState } from "./useListState";

const PATH = "/";

/** Ask for the list while its page is open. It stands above the account, so that both are asked for at once. */
export function InstanceListProvider({ children }: { readonly children: ReactNode }) {
  const [path] = useLocation();
  const [state] = useListState();
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
  const { data, error, isLoading, reload } = useApiQuery(InstanceListDocument, variables, {
    pause: path !== PATH,
  });
  const list = useMemo<InstanceList>(
    () => ({
      rows: data?.instances.nodes ?? [],
      totalCount: data?.instances.totalCount ?? 0,
      tabCounts: data?.instances.facets.tabs ?? [],
      selectableCount: data?.selectable.totalCount ?? 0,
      selectableFilter: variables.selectable,
      error,
      isLoading,
      reload,
    }),
    [data, variables.selectable, error, isLoading, reload],
  );
  return <InstanceListContext value={list}>{children}</InstanceListContext>;
}
