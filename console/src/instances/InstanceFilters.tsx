import { Button, DatePicker, Flex, Input, Select, Space } from "antd";
import dayjs from "dayjs";
import type { ReactNode } from "react";
import { useId } from "react";

import type { InstanceStatus } from "../api/generated/graphql";
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
  const texts = useTexts();
  const { filters } = texts.list;
  const products = useProductChoices();
  const dataCenterTypes = useDataCenterTypeChoices();
  return (
    <Flex component="section" aria-label={filters.title} wrap gap="small" align="center">
      <ExpiryFilter state={state} onChange={onChange} />
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
        choices={STATUSES.map((value) => ({ value, label: texts.enums.status[value] }))}
        values={state.statuses}
        onChange={(values) => {
          onChange({ statuses: values as InstanceStatus[] });
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

function ExpiryFilter({ state, onChange }: InstanceFiltersProps) {
  const { filters } = useTexts().list;
  const id = useId();
  const { expiresFrom, expiresTo } = state;
  return (
    <Labelled label={filters.expiry} id={id}>
      <DatePicker.RangePicker
        id={{ start: id, end: `${id}-end` }}
        allowEmpty
        placeholder={[filters.expiryFrom, filters.expiryTo]}
        value={[
          expiresFrom === null ? null : dayjs(expiresFrom),
          expiresTo === null ? null : dayjs(expiresTo),
        ]}
        onChange={(days) => {
          const [from, to] = days ?? [null, null];
          onChange({
            expiresFrom: from?.format("YYYY-MM-DD") ?? null,
            expiresTo: to?.format("YYYY-MM-DD") ?? null,
          });
        }}
      />
    </Labelled>
  );
}

interface ChoiceFilterProps {
  readonly label: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly values: readonly string[];
  readonly onChange: (values: string[]) => void;
}

function ChoiceFilter({ label, choices, values, onChange }: ChoiceFilterProps) {
  const { filters } = useTexts().list;
  const id = useId();
  return (
    <Labelled label={label} id={id}>
      <Select
        id={id}
        mode="multiple"
        className="choice-filter"
        placeholder={filters.all}
        allowClear
        maxTagCount="responsive"
        showSearch={{ optionFilterProp: "label" }}
        options={[...choices]}
        value={[...values]}
        onChange={onChange}
      />
    </Labelled>
  );
}

function Labelled({
  label,
  id,
  children,
}: {
  readonly label: string;
  readonly id: string;
  readonly children: ReactNode;
}) {
  return (
    <Space size={6}>
      <label htmlFor={id} className="filter-label">
        {label}:
      </label>
      {children}
    </Space>
  );
}
