import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { Provider } from "urql";

import { readLanguage } from "../i18n/language";
import { useLanguage } from "../i18n/useLanguage";
import { refusalOf } from "../session/session";
import { useSessionSetup } from "../session/useSession";
import { createApiClient } from "./client";
import { listenToEvents } from "./events";
import { RefreshContext } from "./refresh";

/** Events come in bursts, such as one for each instance of an order; the page asks anew once after them. */
const BURST_MS = 300;

/** Provide the API client of the session, and refresh the page's queries when something happens to the account. */
export function ApiProvider({ token, children }: { readonly token: string; readonly children: ReactNode }) {
  const { store } = useSessionSetup();
  const { language } = useLanguage();
  const [revision, setRevision] = useState(0);
  const refresh = useCallback(() => {
    setRevision((current) => current + 1);
  }, []);
  const client = useMemo(
    () =>
      createApiClient({
        token,
        getLanguage: readLanguage,
        onUnauthenticated: (hasWorked) => {
          store.signOut(hasWorked ? "expired" : refusalOf(token));
        },
      }),
    [token, store],
  );
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = listenToEvents({
      token,
      onChange: () => {
        clearTimeout(timer);
        timer = setTimeout(refresh, BURST_MS);
      },
      onUnauthenticated: refresh, // the queries know whether the token has ever worked
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [token, refresh]);
  const seenLanguage = useRef(language);
  useEffect(() => {
    if (seenLanguage.current === language) return;
    seenLanguage.current = language;
    refresh(); // some answers have sentences
  }, [language, refresh]);
  const state = useMemo(() => ({ revision, refresh }), [revision, refresh]);
  return (
    <Provider value={client}>
      <RefreshContext value={state}>{children}</RefreshContext>
    </Provider>
  );
}
