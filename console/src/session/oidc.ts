import { UserManager, WebStorageStateStore } from "oidc-client-ts";

/** Where the OpenID provider sends the browser back to; it must know this address. */
export const CALLBACK_PATH = `${import.meta.env.BASE_URL}signed-in`;

function createManager(issuer: string, clientId: string): UserManager {
  return new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: location.origin + CALLBACK_PATH,
    response_type: "code",
    scope: "openid",
    // The state and the PKCE verifier live as long as the tab.
    stateStore: new WebStorageStateStore({ store: sessionStorage }),
    userStore: new WebStorageStateStore({ store: sessionStorage }),
    automaticSilentRenew: false,
    loadUserInfo: false,
  });
}

/** Send the browser to the OpenID provider (authorization code with PKCE), and remember the page that it leaves. */
export function redirectToProvider(issuer: string, clientId: string): Promise<void> {
  return createManager(issuer, clientId).signinRedirect({ state: location.pathname + location.search });
}

interface SignedIn {
  readonly token: string;
  /** The page that the browser left for the provider. */
  readonly address: string;
}

/** Return the access token for the code in the address. */
export async function finishSignIn(issuer: string, clientId: string): Promise<SignedIn> {
  const manager = createManager(issuer, clientId);
  const user = await manager.signinCallback();
  await manager.removeUser(); // the session store keeps the token; a second copy would outlive a sign-out
  if (!user) throw new Error("The OpenID provider sent no user.");
  return { token: user.access_token, address: user.state as string };
}
