import { describe, expect, it } from "vitest";

import { FileLoadError, loadTwice } from "./lazyFile";

function failing(times: number) {
  let calls = 0;
  const load = () => {
    calls += 1;
    return calls <= times ? Promise.reject(new TypeError("Failed to fetch")) : Promise.resolve("the page");
  };
  return { load, count: () => calls };
}

describe("a file of the console", () => {
  it("is loaded once if the server answers", async () => {
    const { load, count } = failing(0);
    await expect(loadTwice(load, () => Promise.reject(new Error("no pause is needed")))).resolves.toBe(
      "the page",
    );
    expect(count()).toBe(1);
  });

  it("is asked for again after a pause, before anybody is told", async () => {
    const { load, count } = failing(1);
    let pauses = 0;
    const pause = () => {
      pauses += 1;
      return Promise.resolve();
    };
    await expect(loadTwice(load, pause)).resolves.toBe("the page");
    expect([count(), pauses]).toEqual([2, 1]);
  });

  it("is given up after the second time, with the reason", async () => {
    const { load, count } = failing(2);
    const loaded = loadTwice(load, () => Promise.resolve());
    await expect(loaded).rejects.toBeInstanceOf(FileLoadError);
    await expect(loaded).rejects.toHaveProperty("cause.message", "Failed to fetch");
    expect(count()).toBe(2);
  });
});
