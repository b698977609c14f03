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

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  get(accountId: string): Payment | null {
    const payment = this.#payments.get(accountId);
    if (payment) return payment;
    const stored = this.#storage.getItem(`${STORED}.${accountId}`);
    return stored === null ? null : (JSON.parse(stored) as Payment);
  }

  put(accountId: string, payment: Payment): void {
    this.#payments.set(accountId, payment);
    try {
      this.#storage.setItem(`${STORED}.${accountId}`, JSON.stringify(payment));
    } catch {
      // The storage is full: the payment is kept as long as the page.
    }
  }

  delete(accountId: string): void {
    this.#payments.delete(accountId);
    this.#storage.removeItem(`${STORED}.${accountId}`);
  }
}
