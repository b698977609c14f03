import { loadConsoleConfig, type ConsoleConfig } from "./consoleConfig";
import { SessionStore } from "./session";

const CALLBACK = `${import.meta.env.BASE_URL}signed-in`;

/** Load the configuration, and finish a sign-in if the OpenID provider has sent the browser back. */
export async function startSession(): Promise<{ config: ConsoleConfig; store: SessionStore }> {
  const config = await loadConsoleConfig();
  const store = new SessionStore(sessionStorage, config.key);
  if (location.pathname === CALLBACK) {
    history.replaceState(null, "", await finish(config, store));
  }
  return { config, store };
}

/** Exchange the code in the address for a token; return the address of the page to show. */
async function finish({ issuer, clientId }: ConsoleConfig, store: SessionStore): Promise<string> {
  if (!issuer || !clientId) return import.meta.env.BASE_URL;
  try {
    const oidc = await import("./oidc");
    const { token, address } = await oidc.finishSignIn(issuer, clientId);
    store.signIn(token);
    return address;
  } catch {
    store.signOut("failed");
    return import.meta.env.BASE_URL;
  }
}
