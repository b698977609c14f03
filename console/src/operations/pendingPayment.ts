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
  /** The accounts whose payment is being sent: its dialog is open. */
  readonly #sending = new Set<string>();
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
    this.#sending.add(accountId);
    this.#tell();
    try {
      this.#storage.setItem(`${STORED}.${accountId}`, JSON.stringify(payment));
    } catch {
      // The storage is full: the payment is kept as long as the page.
    }
  }

  /** Note that a payment is no longer sent, and that its result is not known. */
  leave(accountId: string): void {
    this.#sending.delete(accountId);
    this.#tell();
  }

  delete(accountId: string): void {
    this.#payments.delete(accountId);
    this.#storage.removeItem(`${STORED}.${accountId}`);
    this.#sending.delete(accountId);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
