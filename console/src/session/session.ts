/** Why there is no session; its text is in `signIn.reasons`. */
export type SignOutReason = "expired" | "signedOut" | "refused" | "notAccepted" | "failed";

/** A session is the bearer token of each request: an API key, or an access token of the OpenID provider. */
export type SessionState =
  { readonly token: string } | { readonly token: null; readonly reason: SignOutReason | null };

/** Return why the server does not accept a token that has never worked: a key has no dots, a provider's token two. */
export function refusalOf(token: string): SignOutReason {
  return token.split(".").length === 3 ? "notAccepted" : "refused";
}

/** Return whether a request can carry the token: a header takes no other characters than visible ASCII ones. */
export function isSendable(token: string): boolean {
  return /^[\x21-\x7e]+$/.test(token);
}

const STORED = "renewals.token";
const SIGNED_OUT: SessionState = { token: null, reason: null };

/** Holds the session of this tab. It is in sessionStorage, which the browser clears with the tab. */
export class SessionStore {
  readonly #storage: Storage;
  readonly #listeners = new Set<() => void>();
  #state: SessionState;

  constructor(storage: Storage, prefilledKey: string | null) {
    this.#storage = storage;
    const token = storage.getItem(STORED) ?? prefilledKey;
    this.#state = token ? { token } : SIGNED_OUT;
    if (token && !isSendable(token)) this.signOut("refused");
  }

  readonly get = (): SessionState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Begin a session; a token that no request can carry is refused as a wrong one is. */
  signIn(token: string): void {
    if (!isSendable(token)) {
      this.signOut("refused");
      return;
    }
    this.#storage.setItem(STORED, token);
    this.#set({ token });
  }

  signOut(reason: SignOutReason): void {
    this.#storage.removeItem(STORED);
    this.#set({ token: null, reason });
  }

  #set(state: SessionState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
