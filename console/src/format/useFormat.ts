import { useMemo } from "react";

import { useAccount } from "../app/account";
import { LANGUAGE_TAGS } from "../i18n/language";
import { useLanguage } from "../i18n/useLanguage";
import { formatMoney, type Money } from "./money";
import { dayOf, formatInstant, type Day } from "./time";

interface Format {
  readonly money: (amount: Money) => string;
  readonly count: (count: number) => string;
  readonly instant: (instant: string) => string;
  readonly day: (instant: string) => Day;
}

/** Return formatters for the account: its currency, its time zone, and the language of the page. */
export function useFormat(): Format {
  const { currency, timeZone } = useAccount();
  const { language } = useLanguage();
  return useMemo(() => {
    const counts = new Intl.NumberFormat(LANGUAGE_TAGS[language]);
    return {
      money: (amount) => formatMoney(amount, currency, language),
      count: (count) => counts.format(count),
      instant: (instant) => formatInstant(instant, timeZone),
      day: (instant) => dayOf(instant, timeZone),
    };
  }, [currency, timeZone, language]);
}
