import { createContext, useContext } from "react";

import type { AccountQuery } from "../api/generated/graphql";

export type Viewer = AccountQuery["viewer"];
export type Account = Viewer["account"];

export const ViewerContext = createContext<Viewer | null>(null);

/** Return who is signed in, and what they may do. */
export function useViewer(): Viewer {
  const viewer = useContext(ViewerContext);
  if (!viewer) throw new Error("useViewer needs an AccountProvider around the component");
  return viewer;
}

/** Return the account of the session. */
export function useAccount(): Account {
  return useViewer().account;
}
