import { createContext, useContext } from "react";
import type { CombinedError } from "@urql/core";

import type { InstanceFilter, InstanceListQuery, InstanceRowFragment } from "../api/generated/graphql";

export type InstanceRow = InstanceRowFragment;

/** The page of the list that the address describes, as far as it is known. */
export interface InstanceList {
  readonly rows: readonly InstanceRow[];
  readonly totalCount: number;
  readonly tabCounts: InstanceListQuery["instances"]["facets"]["tabs"];
  readonly selectableCount: number;
  readonly selectableFilter: InstanceFilter;
  readonly error: CombinedError | undefined;
  readonly isLoading: boolean;
  readonly reload: () => void;
}

export const InstanceListContext = createContext<InstanceList | null>(null);

export function useInstanceList(): InstanceList {
  const list = useContext(InstanceListContext);
  if (!list) throw new Error("useInstanceList needs an InstanceListProvider around the component");
  return list;
}
