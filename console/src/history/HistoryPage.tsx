import { Card, Flex } from "antd";
import { useMemo } from "react";

import { EventHistoryDocument } from "../api/generated/graphql";
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
import * as messages from "../i18n/messages/events";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { EVENT_TYPES } from "./eventTypes";
import { HistoryTable } from "./HistoryTable";

const ROWS = 20;

/** All that happened to the account and its instances, and who did it. */
export default function HistoryPage() {
  const title = useTexts().common.pages.history;
  const texts = useAreaTexts(messages);
  const { params, change } = useAddress();
  const { timeZone } = useAccount();
  const types = readChoices(params, "type", EVENT_TYPES);
  const period = readPeriod(params);
  const instanceId = params.get("of") ?? "";
  const key = JSON.stringify([types, period, instanceId]);
  const [cursor, move] = useCursor(key);
  const variables = useMemo(() => {
    const instants = instantsOf(period, timeZone);
    const filter = {
      ...(types.length > 0 && { types }),
      ...(instanceId !== "" && { instanceId }),
      ...(instants.from !== undefined && { occurredFrom: instants.from }),
      ...(instants.before !== undefined && { occurredBefore: instants.before }),
    };
    return { filter, ...cursorVariables(cursor, ROWS) };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key holds the filter's values
  }, [key, timeZone, cursor]);
  const { data, error, isLoading, reload } = useApiQuery(EventHistoryDocument, variables);
  return (
    <Page title={title}>
      <Card size="small">
        <Flex vertical gap="middle">
          <ListFilters
            name="type"
            label={texts.columns.type}
            choices={EVENT_TYPES.map((value) => ({ value, label: texts.types[value] }))}
            values={types}
            period={period}
            instanceId={instanceId}
            onChange={change}
          />
          {error && <ErrorAlert error={error} onRetry={reload} />}
          <HistoryTable events={data?.eventHistory.nodes ?? []} isLoading={isLoading} />
          {data && <CursorPager {...data.eventHistory} onMove={move} />}
        </Flex>
      </Card>
    </Page>
  );
}
