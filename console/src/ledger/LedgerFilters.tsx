import { Flex, Segmented } from "antd";

import type { LedgerEntryKind } from "../api/generated/graphql";
import { ChoiceFilter } from "../components/ChoiceFilter";
import type { Period } from "../components/period";
import { PeriodFilter } from "../components/PeriodFilter";
import * as messages from "../i18n/messages/ledger";
import * as lists from "../i18n/messages/lists";
import * as money from "../i18n/messages/money";
import { useAreaTexts } from "../i18n/useAreaTexts";

/** Which entries: of the balance, of vouchers, or all. */
export type LedgerScope = "all" | "balance" | "vouchers";

interface LedgerFiltersProps {
  readonly scope: LedgerScope;
  readonly kinds: readonly LedgerEntryKind[];
  readonly allKinds: readonly LedgerEntryKind[];
  readonly period: Period;
  readonly onChange: (change: Readonly<Record<string, string | readonly string[] | null>>) => void;
}

const SCOPES: readonly LedgerScope[] = ["all", "balance", "vouchers"];

export function LedgerFilters({ scope, kinds, allKinds, period, onChange }: LedgerFiltersProps) {
  const texts = useAreaTexts(lists);
  const { scopes, scope: scopeLabel, columns } = useAreaTexts(messages);
  const { ledgerKinds } = useAreaTexts(money);
  return (
    <Flex component="section" aria-label={texts.filters} wrap gap="small" align="center">
      <Segmented<LedgerScope>
        aria-label={scopeLabel}
        value={scope}
        options={SCOPES.map((value) => ({ value, label: scopes[value] }))}
        onChange={(value) => {
          onChange({ scope: value === "all" ? null : value });
        }}
      />
      <ChoiceFilter
        label={columns.kind}
        choices={allKinds.map((value) => ({ value, label: ledgerKinds[value] }))}
        values={kinds}
        onChange={(values) => {
          onChange({ kind: values });
        }}
      />
      <PeriodFilter
        label={texts.period}
        period={period}
        onChange={({ from, to }) => {
          onChange({ from, to });
        }}
      />
    </Flex>
  );
}
