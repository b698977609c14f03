import { Flex } from "antd";

import { ChoiceFilter } from "../components/ChoiceFilter";
import { InstanceFilter } from "../components/InstanceFilter";
import type { Period } from "../components/period";
import { PeriodFilter } from "../components/PeriodFilter";
import * as events from "../i18n/messages/events";
import * as lists from "../i18n/messages/lists";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { EVENT_TYPES, type EventType } from "./eventTypes";

interface HistoryFiltersProps {
  readonly types: readonly EventType[];
  readonly period: Period;
  readonly instanceId: string;
  readonly onChange: (change: Readonly<Record<string, string | readonly string[] | null>>) => void;
}

export function HistoryFilters({ types, period, instanceId, onChange }: HistoryFiltersProps) {
  const texts = useAreaTexts(lists);
  const { columns, types: names } = useAreaTexts(events);
  return (
    <Flex component="section" aria-label={texts.filters} wrap gap="small" align="center">
      <ChoiceFilter
        label={columns.type}
        choices={EVENT_TYPES.map((value) => ({ value, label: names[value] }))}
        values={types}
        onChange={(values) => {
          onChange({ type: values });
        }}
      />
      <PeriodFilter
        label={texts.period}
        period={period}
        onChange={({ from, to }) => {
          onChange({ from, to });
        }}
      />
      <InstanceFilter
        instanceId={instanceId}
        onChange={(id) => {
          onChange({ of: id });
        }}
      />
    </Flex>
  );
}
