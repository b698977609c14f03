import { beforeEach, expect, it } from "vitest";

import type { Payment } from "./payment";
import { PendingPayments } from "./pendingPayment";

function paymentOf(idempotencyKey: string): Payment {
  return {
    request: {
      kind: "RENEW",
      input: { selection: { ids: ["i-1"] }, months: 1, expectedTotal: "300.00", idempotencyKey },
    },
    count: 1,
    total: "300.00",
  };
}

const PAYMENT = paymentOf("k");
const OTHER = paymentOf("other");

let items: Map<string, string>;
let isFull: boolean;
let storage: Storage;

beforeEach(() => {
  items = new Map();
  isFull = false;
  storage = {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => {
      if (isFull) throw new DOMException("full", "QuotaExceededError");
      items.set(name, value);
    },
    removeItem: (name: string) => items.delete(name),
  } as unknown as Storage;
});

it("a payment outlives the page, with its key", () => {
  new PendingPayments(storage).put("a", PAYMENT);
  expect(new PendingPayments(storage).get("a")).toEqual(PAYMENT);
});

it("a payment is of its account only, and is gone once its result is known", () => {
  const payments = new PendingPayments(storage);
  payments.put("a", PAYMENT);
  expect(payments.get("b")).toBeNull();
  payments.delete("a", PAYMENT);
  expect(payments.get("a")).toBeNull();
  expect(items.size).toBe(0);
});

it("a payment is unknown while no dialog sends it, and the page is told", () => {
  const payments = new PendingPayments(storage);
  const seen: (Payment | null)[] = [];
  payments.subscribe(() => seen.push(payments.findUnknown("a")));
  payments.put("a", PAYMENT);
  payments.leave("a", PAYMENT);
  payments.put("a", PAYMENT);
  payments.delete("a", PAYMENT);
  expect(seen).toEqual([null, PAYMENT, null, null]);
});

it("the late end of an earlier payment leaves the payment that is being sent", () => {
  const payments = new PendingPayments(storage);
  payments.put("a", PAYMENT);
  payments.leave("a", PAYMENT);
  payments.delete("a", PAYMENT);
  payments.put("a", OTHER);
  payments.leave("a", PAYMENT);
  expect(payments.findUnknown("a")).toBeNull();
  payments.delete("a", PAYMENT);
  expect(payments.get("a")).toBe(OTHER);
  expect(new PendingPayments(storage).get("a")).toEqual(OTHER);
  payments.leave("a", OTHER);
  expect(payments.findUnknown("a")).toBe(OTHER);
});

it("a payment is deleted by its key, also after a reload and while nobody sends it", () => {
  new PendingPayments(storage).put("a", PAYMENT);
  const payments = new PendingPayments(storage);
  payments.delete("a", OTHER);
  expect(payments.get("a")).toEqual(PAYMENT);
  payments.delete("a", paymentOf("k"));
  expect(items.size).toBe(0);
});

it("a payment that was stored is the same object each time", () => {
  new PendingPayments(storage).put("a", PAYMENT);
  const payments = new PendingPayments(storage);
  expect(payments.findUnknown("a")).toBe(payments.findUnknown("a"));
});

it("a payment too large for the storage is kept as long as the page", () => {
  isFull = true;
  const payments = new PendingPayments(storage);
  payments.put("a", PAYMENT);
  expect(payments.get("a")).toEqual(PAYMENT);
});
