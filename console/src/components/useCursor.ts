import { useCallback, useState } from "react";

import type { Cursor } from "./cursor";

/** Keep the page of a list with cursors. Another filter, whose `key` differs, leads back to the first page. */
export function useCursor(key: string): [Cursor, (cursor: Cursor) => void] {
  const [state, setState] = useState<{ readonly key: string; readonly cursor: Cursor }>({
    key,
    cursor: null,
  });
  const move = useCallback(
    (cursor: Cursor) => {
      setState({ key, cursor });
    },
    [key],
  );
  return [state.key === key ? state.cursor : null, move];
}
