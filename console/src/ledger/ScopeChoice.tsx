import { Segmented } from "antd";

import * as messages from "../i18n/messages/ledger";
import { useAreaTexts } from "../i18n/useAreaTexts";

/** Which entries: of the balance, of vouchers, or all. */
export type LedgerScope = "all" | "balance" | "vouchers";

interface ScopeChoiceProps {
  readonly scope: LedgerScope;
  readonly onChange: (scope: LedgerScope) => void;
}

const SCOPES: readonly LedgerScope[] = ["all", "balance", "vouchers"];

export function ScopeChoice({ scope, onChange }: ScopeChoiceProps) {
  const texts = useAreaTexts(messages);
  return (
    <Segmented<LedgerScope>
      aria-label={texts.scope}
      value={scope}
      options={SCOPES.map((value) => ({ value, label: texts.scopes[value] }))}
      onChange={onChange}
    />
  );
}
