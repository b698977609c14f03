import { Card, Flex } from "antd";
import { useMemo } from "react";

import { LedgerDocument, type LedgerEntryKind } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { useAccount } from "../app/account";
import { cursorVariables } from "../components/cursor";
import { CursorPager } from "../components/CursorPager";
import { ErrorAlert } from "../components/ErrorAlert";
import { ListFilters } from "../components/ListFilters";
import { Page } from "../components/Page";
import { instantsOf, readChoices, readPeriod } from "../components/period";
import { useAddress } from "../components/useAddress";
import { useCursor } from "../components/useCursor";
import * as messages from "../i18n/messages/ledger";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { LedgerTable } from "./LedgerTable";
import { ScopeChoice, type LedgerScope } from "./ScopeChoice";

const ROWS = 20;
const KINDS: readonly LedgerEntryKind[] = ["TOP_UP", "RENEWAL", "REFUND"];

/** Every change of the balance and of a voucher. */
export default function LedgerPage() {
  const title = useTexts().common.pages.ledger;
  const texts = useAreaTexts(messages);
  const labelOf = useLabel();
  const { params, change } = useAddress();
  const { timeZone } = useAccount();
  const kinds = readChoices(params, "kind", KINDS);
  const period = readPeriod(params);
  const scope: LedgerScope = readChoices(params, "scope", ["balance", "vouchers"] as const)[0] ?? "all";
  const key = JSON.stringify([kinds, period, scope]);
  const [cursor, move] = useCursor(key);
  const variables = useMemo(() => {
    const instants = instantsOf(period, timeZone);
    const filter = {
      ...(kinds.length > 0 && { kinds }),
      ...(scope !== "all" && { vouchers: scope === "vouchers" }),
      ...(instants.from !== undefined && { createdFrom: instants.from }),
      ...(instants.before !== undefined && { createdBefore: instants.before }),
    };
    return { filter, ...cursorVariables(cursor, ROWS) };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key holds the filter's values
  }, [key, timeZone, cursor]);
  const { data, error, isLoading, reload } = useApiQuery(LedgerDocument, variables);
  return (
    <Page title={title}>
      <Card size="small">
        <Flex vertical gap="middle">
          <ListFilters
            name="kind"
            label={texts.columns.kind}
            choices={KINDS.map((value) => ({ value, label: labelOf("LedgerEntryKind", value) }))}
            values={kinds}
            period={period}
            onChange={change}
          >
            <ScopeChoice
              scope={scope}
              onChange={(value) => {
                change({ scope: value === "all" ? null : value });
              }}
            />
          </ListFilters>
          {error && <ErrorAlert error={error} onRetry={reload} />}
          <LedgerTable entries={data?.ledger.nodes ?? []} isLoading={isLoading} />
          {data && <CursorPager {...data.ledger} onMove={move} />}
        </Flex>
      </Card>
    </Page>
  );
}
