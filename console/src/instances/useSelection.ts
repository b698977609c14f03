import { useCallback, useEffect, useRef, useState } from "react";

import type { InstanceFilter } from "../api/generated/graphql";
import { EVERYTHING, NOTHING, select, type Selection } from "./selection";

interface SelectionState {
  readonly selection: Selection;
  readonly change: (ids: Iterable<string>, isAdded: boolean) => void;
  readonly selectAll: () => void;
  readonly clear: () => void;
}

/** Keep the selection across pages and refreshes. Another filter ends a selection of all that match, and another tab any. */
export function useSelection(filter: InstanceFilter): SelectionState {
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const seen = useRef(filter);
  useEffect(() => {
    const before = seen.current;
    seen.current = filter;
    const isSame = JSON.stringify(before) === JSON.stringify(filter);
    if (!isSame)
      setSelection((now) => (now.kind === "matching" || before.tab !== filter.tab ? NOTHING : now));
  }, [filter]);
  const change = useCallback((ids: Iterable<string>, isAdded: boolean) => {
    setSelection((now) => select(now, ids, isAdded));
  }, []);
  const selectAll = useCallback(() => {
    setSelection(EVERYTHING);
  }, []);
  const clear = useCallback(() => {
    setSelection(NOTHING);
  }, []);
  return { selection, change, selectAll, clear };
}
