import { Button, Flex, Input, Select } from "antd";
import { useId } from "react";

import type { InstanceStatus } from "../api/generated/graphql";
import { ChoiceFilter } from "../components/ChoiceFilter";
import { Labelled } from "../components/Labelled";
import { PeriodFilter } from "../components/PeriodFilter";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { INITIAL_STATE, type ListState } from "./listState";
import { useDataCenterTypeChoices, useProductChoices } from "./useCatalog";

interface InstanceFiltersProps {
  readonly state: ListState;
  readonly onChange: (change: Partial<ListState>) => void;
}

const STATUSES: readonly InstanceStatus[] = ["RUNNING", "EXPIRED", "RELEASED"];
const NO_FILTER: Partial<ListState> = {
  expiresFrom: INITIAL_STATE.expiresFrom,
  expiresTo: INITIAL_STATE.expiresTo,
  products: INITIAL_STATE.products,
  dataCenterTypes: INITIAL_STATE.dataCenterTypes,
  statuses: INITIAL_STATE.statuses,
  tags: INITIAL_STATE.tags,
  search: INITIAL_STATE.search,
};

export function InstanceFilters({ state, onChange }: InstanceFiltersProps) {
  const { filters } = useTexts().list;
  const labelOf = useLabel();
  const products = useProductChoices();
  const dataCenterTypes = useDataCenterTypeChoices();
  return (
    <Flex component="section" aria-label={filters.title} wrap gap="small" align="center">
      <PeriodFilter
        label={filters.expiry}
        period={{ from: state.expiresFrom, to: state.expiresTo }}
        onChange={({ from, to }) => {
          onChange({ expiresFrom: from, expiresTo: to });
        }}
      />
      <ChoiceFilter
        label={filters.product}
        choices={products}
        values={state.products}
        onChange={(values) => {
          onChange({ products: values });
        }}
      />
      <ChoiceFilter
        label={filters.dataCenterType}
        choices={dataCenterTypes}
        values={state.dataCenterTypes}
        onChange={(values) => {
          onChange({ dataCenterTypes: values });
        }}
      />
      <ChoiceFilter
        label={filters.status}
        choices={STATUSES.map((value) => ({ value, label: labelOf("InstanceStatus", value) }))}
        values={state.statuses}
        onChange={(values) => {
          onChange({ statuses: values });
        }}
      />
      <TagFilter state={state} onChange={onChange} />
      <Input.Search
        key={state.search}
        className="search-filter"
        aria-label={filters.search}
        placeholder={filters.searchHint}
        defaultValue={state.search}
        allowClear
        onSearch={(text) => {
          if (text.trim() !== state.search) onChange({ search: text.trim() });
        }}
      />
      <Button
        onClick={() => {
          onChange(NO_FILTER);
        }}
      >
        {filters.reset}
      </Button>
    </Flex>
  );
}

function TagFilter({ state, onChange }: InstanceFiltersProps) {
  const { filters } = useTexts().list;
  const id = useId();
  return (
    <Labelled label={filters.tag} id={id}>
      <Select
        id={id}
        mode="tags"
        className="choice-filter"
        placeholder={filters.tagHint}
        allowClear
        open={false}
        suffix={null}
        tokenSeparators={[","]}
        value={[...state.tags]}
        onChange={(tags: string[]) => {
          onChange({ tags });
        }}
      />
    </Labelled>
  );
}
