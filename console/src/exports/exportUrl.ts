import type { RenewalTab } from "../api/generated/graphql";
import type { Language } from "../i18n/language";

export const EXPORT_TABLES = ["instances", "orders", "ledger"] as const;
export const EXPORT_FORMATS = ["csv", "jsonl"] as const;

export interface ExportChoice {
  readonly table: (typeof EXPORT_TABLES)[number];
  readonly format: (typeof EXPORT_FORMATS)[number];
  /** Instances only; null is all tabs. */
  readonly tab: RenewalTab | null;
  /** Orders and ledger only: the first instant, and the one after the last. */
  readonly instants: { readonly from?: string; readonly before?: string };
}

/** Return the address of an export. What does not belong to its table is left out. */
export function exportUrl({ table, format, tab, instants }: ExportChoice, language: Language): string {
  const params = new URLSearchParams({ lang: language });
  if (table === "instances") {
    if (tab !== null) params.set("filter", JSON.stringify({ tab }));
  } else {
    if (instants.from !== undefined) params.set("from", instants.from);
    if (instants.before !== undefined) params.set("before", instants.before);
  }
  return `/export/${table}.${format}?${params.toString()}`;
}
