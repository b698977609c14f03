import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

type ParamChange = Readonly<Record<string, string | readonly string[] | null>>;

interface Address {
  readonly params: URLSearchParams;
  /** Returns the address after a change of its parameters; null removes one. */
  readonly hrefWith: (change: ParamChange) => string;
  readonly change: (change: ParamChange) => void;
}

/** Return the parameters in the address, which say what a page shows, and how to change them. */
export function useAddress(): Address {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const params = useMemo(() => new URLSearchParams(search), [search]);
  const hrefWith = useCallback(
    (values: ParamChange) => {
      const query = changedParams(search, values);
      return query ? `${path}?${query}` : path;
    },
    [search, path],
  );
  const change = useCallback(
    (values: ParamChange) => {
      navigate(hrefWith(values));
    },
    [navigate, hrefWith],
  );
  return { params, hrefWith, change };
}

/** Return a query string with some parameters replaced. */
export function changedParams(search: string, values: ParamChange): string {
  const params = new URLSearchParams(search);
  for (const [name, value] of Object.entries(values)) {
    params.delete(name);
    const list = value === null ? [] : typeof value === "string" ? [value] : value;
    for (const item of list) if (item !== "") params.append(name, item);
  }
  return params.toString();
}
