/** The server's answer at /console/config.json. */
export interface ConsoleConfig {
  /** Address of the OpenID provider; null: only keys. */
  readonly issuer: string | null;
  readonly clientId: string | null;
  /** The demo account's key, under `make run` only. */
  readonly key: string | null;
}

const WITHOUT: ConsoleConfig = { issuer: null, clientId: null, key: null };

/** Return the server's configuration; without an answer, a key can still be typed in. */
export async function loadConsoleConfig(): Promise<ConsoleConfig> {
  try {
    const response = await fetch(`${import.meta.env.BASE_URL}config.json`, { cache: "no-store" });
    return response.ok ? ((await response.json()) as ConsoleConfig) : WITHOUT;
  } catch {
    return WITHOUT;
  }
}
