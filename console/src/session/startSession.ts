import { loadConsoleConfig, type ConsoleConfig } from "./consoleConfig";
import { SessionStore } from "./session";

const CALLBACK = `${import.meta.env.BASE_URL}signed-in`;

/** Load the configuration, and finish a sign-in if the OpenID provider has sent the browser back. */
export async function startSession(): Promise<{ config: ConsoleConfig; store: SessionStore }> {
  const config = await loadConsoleConfig();
  const store = new SessionStore(sessionStorage, config.key);
  if (location.pathname === CALLBACK) {
    await finish(config, store);
    history.replaceState(null, "", import.meta.env.BASE_URL);
  }
  return { config, store };
}

async function finish({ issuer, clientId }: ConsoleConfig, store: SessionStore): Promise<void> {
  if (!issuer || !clientId) return;
  try {
    const oidc = await import("./oidc");
    store.signIn(await oidc.finishSignIn(issuer, clientId));
  } catch {
    store.signOut("failed");
  }
}
