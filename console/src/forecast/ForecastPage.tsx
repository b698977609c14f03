import { Alert, Card, Flex, Segmented, Skeleton, Spin } from "antd";
import { Suspense, useMemo } from "react";

import { ForecastDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { ErrorAlert } from "../components/ErrorAlert";
import { lazyFile } from "../components/lazyFile";
import { LoadBoundary } from "../components/LoadBoundary";
import { Page } from "../components/Page";
import { useAddress } from "../components/useAddress";
import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/forecast";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { ForecastTables } from "./ForecastTables";
import { readGrouping } from "./grouping";

const ForecastChart = lazyFile(() => import("./ForecastChart"));

const PERIODS = [7, 30, 90, 180, 366];
const PERIOD_AT_FIRST = 30;

/** The automatic renewals of the coming days, and whether the money suffices. */
export default function ForecastPage() {
  const texts = useAreaTexts(messages);
  const { pages } = useTexts().common;
  const { params, change } = useAddress();
  const asked = Number(params.get("days"));
  const days = PERIODS.includes(asked) ? asked : PERIOD_AT_FIRST;
  const { by, tagKey } = readGrouping(params);
  const isGrouped = by !== "DAY" && (by !== "TAG" || tagKey !== "");
  const variables = useMemo(
    () => ({ days, by: by === "DAY" ? ("PRODUCT" as const) : by, tagKey: tagKey || null, isGrouped }),
    [days, by, tagKey, isGrouped],
  );
  const { data, error, isLoading, reload } = useApiQuery(ForecastDocument, variables);
  return (
    <Page title={pages.forecast}>
      <Card size="small">
        <Flex vertical gap="middle">
          <Flex wrap gap="small" align="center">
            <span className="filter-label">{texts.period}:</span>
            <Segmented<number>
              aria-label={texts.period}
              value={days}
              options={PERIODS.map((value) => ({ value, label: texts.days(value) }))}
              onChange={(value) => {
                change({ days: value === PERIOD_AT_FIRST ? null : String(value) });
              }}
            />
          </Flex>
          {error && <ErrorAlert error={error} onRetry={reload} />}
          {data ? (
            <Spin spinning={isLoading} delay={300}>
              <Flex vertical gap="middle">
                <Verdict forecast={data.forecast} />
                <LoadBoundary>
                  <Suspense fallback={<Skeleton.Node active className="forecast-chart" />}>
                    <ForecastChart days={data.forecast.days} />
                  </Suspense>
                </LoadBoundary>
                <ForecastTables forecast={data.forecast} by={by} tagKey={tagKey} onChange={change} />
              </Flex>
            </Spin>
          ) : (
            isLoading && <Skeleton active />
          )}
        </Flex>
      </Card>
    </Page>
  );
}

interface VerdictProps {
  readonly forecast: {
    readonly total: string;
    readonly topUpNeeded: string;
    readonly firstShortfallOn: string | null;
  };
}

/** One sentence: the money suffices, or what lacks and from when on. */
function Verdict({ forecast: { total, topUpNeeded, firstShortfallOn } }: VerdictProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  if (!isPositive(topUpNeeded))
    return <Alert type="success" showIcon title={texts.suffices(format.money(total))} />;
  return (
    <Alert
      type="warning"
      showIcon
      title={texts.lacks(format.money(total), format.money(topUpNeeded), firstShortfallOn ?? "")}
    />
  );
}
