import { createContext, useContext } from "react";

import type { AccountQuery } from "../api/generated/graphql";

export type Account = AccountQuery["account"];

export const AccountContext = createContext<Account | null>(null);

/** Return the account of the session. */
export function useAccount(): Account {
  const account = useContext(AccountContext);
  if (!account) throw new Error("useAccount needs an AccountProvider around the component");
  return account;
}
