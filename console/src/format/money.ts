import { LANGUAGE_TAGS, type Language } from "../i18n/language";

/** A decimal string of the API. It is never a number: a float cannot hold every amount. */
export type Money = string;

/** Return an amount with its currency. `Intl` reads the decimal string exactly. */
export function formatMoney(amount: Money, currency: string, language: Language): string {
  const format = new Intl.NumberFormat(LANGUAGE_TAGS[language], {
    style: "currency",
    currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  return format.format(amount as Intl.StringNumericLiteral);
}

/** Return whether an amount is above zero. */
export function isPositive(amount: Money): boolean {
  return !amount.startsWith("-") && /[1-9]/.test(amount);
}
