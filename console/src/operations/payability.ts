import type { PaymentQuoteFragment } from "../api/generated/graphql";
import { isPositive } from "../format/money";

/** Why a quote cannot be paid; its text is in `payment.blocked`. */
export type PaymentBlock = "nothing" | "shortfall" | "refusals";

type QuoteFacts = Pick<PaymentQuoteFragment, "lineCount" | "refusalCount" | "shortfall">;

/** Return why a quote cannot be paid, or null. With refusals the customer must agree to pay the others only. */
export function findPaymentBlock(quote: QuoteFacts, isPartialAgreed: boolean): PaymentBlock | null {
  if (quote.lineCount === 0) return "nothing";
  if (quote.refusalCount > 0 && !isPartialAgreed) return "refusals";
  return isPositive(quote.shortfall) ? "shortfall" : null;
}
