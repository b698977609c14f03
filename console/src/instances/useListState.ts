import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

import { changeListState, formatListState, parseListState, type ListState } from "./listState";

type ChangeListState = (change: Partial<ListState>) => void;

/** Return the state of the list in the address, and how to change it. */
export function useListState(): [ListState, ChangeListState] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const state = useMemo(() => parseListState(search), [search]);
  const change = useCallback<ChangeListState>(
    (values) => {
      const query = formatListState(changeListState(state, values));
      navigate(query ? `${path}?${query}` : path);
    },
    [state, path, navigate],
  );
  return [state, change];
}
