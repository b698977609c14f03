import { createContext, useContext, useSyncExternalStore } from "react";

import type { ConsoleConfig } from "./consoleConfig";
import type { SessionState, SessionStore } from "./session";

interface SessionSetup {
  readonly config: ConsoleConfig;
  readonly store: SessionStore;
}

export const SessionContext = createContext<SessionSetup | null>(null);

export function useSessionSetup(): SessionSetup {
  const setup = useContext(SessionContext);
  if (!setup) throw new Error("useSessionSetup needs a SessionContext around the component");
  return setup;
}

export function useSession(): SessionState {
  const { store } = useSessionSetup();
  return useSyncExternalStore(store.subscribe, store.get);
}
