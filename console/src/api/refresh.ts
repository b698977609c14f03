import { createContext, useContext } from "react";

interface Refresh {
  /** Grows with each change of the account; `useApiQuery` asks anew when it does. */
  readonly revision: number;
  readonly refresh: () => void;
}

export const RefreshContext = createContext<Refresh>({ revision: 0, refresh: () => undefined });

export function useRefresh(): Refresh {
  return useContext(RefreshContext);
}
