import type { AnyVariables, CombinedError, TypedDocumentNode } from "@urql/core";
import { useCallback, useEffect, useRef, useState } from "react";
import { useQuery } from "urql";

import { useRefresh } from "./refresh";

interface ApiQuery<Data> {
  /**
   * The last answer. It stays while the next one is on its way, also for other variables, and if that one is lost:
   * a page or a dialog must not vanish because a server is down for a moment.
   */
  readonly data: Data | undefined;
  readonly error: CombinedError | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

/** Ask the API, and ask anew after each change of the account. `variables` must be memoized. */
export function useApiQuery<Data, Variables extends AnyVariables>(
  query: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { pause = false }: { readonly pause?: boolean } = {},
): ApiQuery<Data> {
  const { revision } = useRefresh();
  const [{ data, error, fetching }, execute] = useQuery<Data, Variables>({ query, variables, pause });
  const [kept, setKept] = useState(data);
  if (data !== undefined && data !== kept) setKept(data);
  const reload = useCallback(() => {
    execute({ requestPolicy: "network-only" });
  }, [execute]);
  const seen = useRef(revision);
  useEffect(() => {
    if (seen.current === revision) return;
    seen.current = revision;
    if (!pause) reload();
  }, [revision, reload, pause]);
  return { data: data ?? kept, error, isLoading: fetching, reload };
}
