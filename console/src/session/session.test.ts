import { describe, expect, it } from "vitest";

import { refusalOf, SessionStore } from "./session";

function storage(): Storage {
  const values = new Map<string, string>();
  return {
    get length() {
      return values.size;
    },
    clear: () => {
      values.clear();
    },
    getItem: (name) => values.get(name) ?? null,
    key: (index) => [...values.keys()][index] ?? null,
    removeItem: (name) => {
      values.delete(name);
    },
    setItem: (name, value) => {
      values.set(name, value);
    },
  };
}

describe("the session", () => {
  it("lasts as long as the tab", () => {
    const tab = storage();
    new SessionStore(tab, null).signIn("rk_mine");
    expect(new SessionStore(tab, null).get()).toEqual({ token: "rk_mine" });
    expect(new SessionStore(storage(), null).get()).toEqual({ token: null, reason: null });
  });

  it("begins with a prefilled key, which is not stored", () => {
    const tab = storage();
    expect(new SessionStore(tab, "rk_demo").get()).toEqual({ token: "rk_demo" });
    expect(tab.length).toBe(0);
  });

  it("ends with a reason, leaves no token behind, and tells the page", () => {
    const tab = storage();
    const store = new SessionStore(tab, null);
    store.signIn("rk_mine");
    let calls = 0;
    store.subscribe(() => {
      calls += 1;
    });
    store.signOut("expired");
    expect(store.get()).toEqual({ token: null, reason: "expired" });
    expect([tab.length, calls]).toEqual([0, 1]);
  });

  it.each(["密钥", "rk_mine\u200b", "rk mine", "rk_m\u00efne"])("never begins with %j", (key) => {
    const tab = storage();
    const store = new SessionStore(tab, null);
    store.signIn(key);
    expect([store.get(), tab.length]).toEqual([{ token: null, reason: "refused" }, 0]);
  });

  it("leads a tab with a stored key that cannot be sent back to the sign-in", () => {
    const tab = storage();
    tab.setItem("renewals.token", "密钥");
    expect(new SessionStore(tab, "rk_demo").get()).toEqual({ token: null, reason: "refused" });
    expect(tab.length).toBe(0);
  });

  it("knows a token of a provider from a mistyped key", () => {
    expect(refusalOf("header.claims.signature")).toBe("notAccepted");
    expect(refusalOf("rk_mistyped")).toBe("refused");
  });
});
