import { afterEach, describe, expect, it, vi } from "vitest";

import { download, DownloadError, fileNameOf } from "./download";

afterEach(() => {
  vi.unstubAllGlobals();
});

function answer(response: Response | Error) {
  vi.stubGlobal("fetch", () =>
    response instanceof Error ? Promise.reject(response) : Promise.resolve(response),
  );
  const signal = new AbortController().signal;
  return download({ url: "/export/orders.csv", headers: {}, signal, onProgress: () => undefined });
}

async function failureOf(response: Response | Error) {
  const error: unknown = await answer(response).catch((caught: unknown) => caught);
  return error instanceof DownloadError ? error.failure : error;
}

describe("the name of a file", () => {
  it("is the one in the reader's language", () => {
    expect(fileNameOf(`attachment; filename="orders.csv"; filename*=UTF-8''%E8%AE%A2%E5%8D%95.csv`)).toBe(
      "订单.csv",
    );
    expect(fileNameOf('attachment; filename="orders.csv"')).toBe("orders.csv");
    expect(fileNameOf(null)).toBe("export");
  });
});

describe("a download", () => {
  it("is the whole file", async () => {
    const { blob } = await answer(new Response("a,b\r\n"));
    expect(await blob.text()).toBe("a,b\r\n");
  });

  it("that is cut is not a file", async () => {
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode("a,b"));
        controller.error(new TypeError("network error"));
      },
    });
    expect(await failureOf(new Response(body))).toEqual({ kind: "cut" });
    expect(await failureOf(new TypeError("failed to fetch"))).toEqual({ kind: "cut" });
  });

  it("that is refused says why", async () => {
    const refusal = new Response('{"errors": [{"message": "from: no instant"}]}', { status: 400 });
    expect(await failureOf(refusal)).toEqual({ kind: "refused", message: "from: no instant" });
    expect(await failureOf(new Response("", { status: 503 }))).toEqual({ kind: "busy" });
    expect(await failureOf(new Response("", { status: 401 }))).toEqual({ kind: "unauthenticated" });
  });
});
