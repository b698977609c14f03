import { Flex } from "antd";
import type { ReactNode } from "react";

import * as lists from "../i18n/messages/lists";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { ChoiceFilter, type ChoiceFilterProps } from "./ChoiceFilter";
import { InstanceFilter } from "./InstanceFilter";
import type { Period } from "./period";
import { PeriodFilter } from "./PeriodFilter";

interface ListFiltersProps<Value extends string> extends Omit<ChoiceFilterProps<Value>, "onChange"> {
  /** The parameter of the address that holds the chosen values. */
  readonly name: string;
  readonly period: Period;
  /** Absent in a list that has no filter by instance. */
  readonly instanceId?: string;
  readonly onChange: (change: Readonly<Record<string, string | readonly string[] | null>>) => void;
  /** A filter before the others. */
  readonly children?: ReactNode;
}

/** The filters of a list: some of several values, a period, and an instance. */
export function ListFilters<Value extends string>(props: ListFiltersProps<Value>) {
  const { name, period, instanceId, onChange, children, ...choice } = props;
  const texts = useAreaTexts(lists);
  return (
    <Flex component="section" aria-label={texts.filters} wrap gap="small" align="center">
      {children}
      <ChoiceFilter
        {...choice}
        onChange={(values) => {
          onChange({ [name]: values });
        }}
      />
      <PeriodFilter
        label={texts.period}
        period={period}
        onChange={({ from, to }) => {
          onChange({ from, to });
        }}
      />
      {instanceId !== undefined && (
        <InstanceFilter
          instanceId={instanceId}
          onChange={(id) => {
            onChange({ of: id });
          }}
        />
      )}
    </Flex>
  );
}
