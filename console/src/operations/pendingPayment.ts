import type { Payment } from "./payment";

const STORED = "renewals.pendingPayment";

/**
 * Keeps a payment whose result is not known, for each account of this tab.
 *
 * It is stored before the payment is sent, and outlives a reload: the next dialog asks for the result first.
 */
export class PendingPayments {
  readonly #storage: Storage;
  readonly #payments = new Map<string, Payment>();
  /** The keys of the payments that are being sent by an open dialog, for each account. */
  readonly #sending = new Map<string, string>();
  readonly #listeners = new Set<() => void>();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(accountId: string): Payment | null {
    const payment = this.#payments.get(accountId);
    if (payment) return payment;
    const stored = this.#storage.getItem(`${STORED}.${accountId}`);
    if (stored === null) return null;
    const read = JSON.parse(stored) as Payment;
    this.#payments.set(accountId, read);
    return read;
  }

  /** Return the payment that no dialog is sending. */
  findUnknown(accountId: string): Payment | null {
    return this.#sending.has(accountId) ? null : this.get(accountId);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  put(accountId: string, payment: Payment): void {
    this.#payments.set(accountId, payment);
    this.#sending.set(accountId, keyOf(payment));
    this.#tell();
    try {
      this.#storage.setItem(`${STORED}.${accountId}`, JSON.stringify(payment));
    } catch {
      // The storage is full: the payment is kept as long as the page.
    }
  }

  /** Note that no dialog sends the payment any more, and that its result is not known. */
  leave(accountId: string, payment: Payment): void {
    if (this.#sending.get(accountId) !== keyOf(payment)) return;
    this.#sending.delete(accountId);
    this.#tell();
  }

  /** Delete the payment, unless another one has taken its place. */
  delete(accountId: string, payment: Payment): void {
    const stored = this.get(accountId);
    if (stored === null || keyOf(stored) !== keyOf(payment)) return;
    this.#payments.delete(accountId);
    this.#storage.removeItem(`${STORED}.${accountId}`);
    this.#sending.delete(accountId);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function keyOf({ request }: Payment): string {
  return request.input.idempotencyKey;
}

/** The payments of this tab whose results are not known. */
export const PENDING = new PendingPayments(globalThis.sessionStorage);
