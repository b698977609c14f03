import { Flex, Input, Segmented, Typography } from "antd";

import type { ForecastQuery } from "../api/generated/graphql";
import * as messages from "../i18n/messages/forecast";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { DayTable } from "./DayTable";
import { GroupTable } from "./GroupTable";
import { GROUPINGS, type Grouping } from "./grouping";

interface ForecastTablesProps {
  readonly forecast: ForecastQuery["forecast"];
  readonly by: Grouping;
  readonly tagKey: string;
  readonly onChange: (change: Readonly<Record<string, string | null>>) => void;
}

/** The forecast as a table, by day or by group. */
export function ForecastTables({ forecast, by, tagKey, onChange }: ForecastTablesProps) {
  const texts = useAreaTexts(messages);
  const groups = forecast.groups;
  return (
    <Flex vertical gap="small">
      <Flex wrap gap="small" align="center">
        <Segmented<Grouping>
          aria-label={texts.grouping}
          value={by}
          options={GROUPINGS.map((value) => ({ value, label: texts.groupings[value] }))}
          onChange={(value) => {
            onChange({ by: value === "DAY" ? null : value });
          }}
        />
        {by === "TAG" && (
          <Input.Search
            key={tagKey}
            className="search-filter"
            aria-label={texts.tagKey}
            placeholder={texts.tagKey}
            defaultValue={tagKey}
            onSearch={(text) => {
              onChange({ tag: text.trim() });
            }}
          />
        )}
      </Flex>
      {by === "DAY" && <DayTable days={forecast.days} />}
      {by === "TAG" && tagKey === "" && <Typography.Text type="secondary">{texts.tagHint}</Typography.Text>}
      {by !== "DAY" && groups && <GroupTable groups={groups} by={by} />}
    </Flex>
  );
}
