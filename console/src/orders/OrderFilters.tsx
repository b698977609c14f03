import { Flex } from "antd";

import type { OrderKind } from "../api/generated/graphql";
import { ChoiceFilter } from "../components/ChoiceFilter";
import { InstanceFilter } from "../components/InstanceFilter";
import type { Period } from "../components/period";
import { PeriodFilter } from "../components/PeriodFilter";
import * as lists from "../i18n/messages/lists";
import * as money from "../i18n/messages/money";
import * as messages from "../i18n/messages/orders";
import { useAreaTexts } from "../i18n/useAreaTexts";

interface OrderFiltersProps {
  readonly kinds: readonly OrderKind[];
  readonly allKinds: readonly OrderKind[];
  readonly period: Period;
  readonly instanceId: string;
  readonly onChange: (change: Readonly<Record<string, string | readonly string[] | null>>) => void;
}

export function OrderFilters({ kinds, allKinds, period, instanceId, onChange }: OrderFiltersProps) {
  const texts = useAreaTexts(lists);
  const { columns } = useAreaTexts(messages);
  const { orderKinds } = useAreaTexts(money);
  return (
    <Flex component="section" aria-label={texts.filters} wrap gap="small" align="center">
      <ChoiceFilter
        label={columns.kind}
        choices={allKinds.map((value) => ({ value, label: orderKinds[value] }))}
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
      <InstanceFilter
        instanceId={instanceId}
        onChange={(id) => {
          onChange({ of: id });
        }}
      />
    </Flex>
  );
}
