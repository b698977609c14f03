import { PendingPayments } from "./pendingPayment";

/** The payments of this tab whose results are not known. */
export const PENDING = new PendingPayments(sessionStorage);
