import { Select } from "antd";
import { useId } from "react";

import { useTexts } from "../i18n/useLanguage";
import { Labelled } from "./Labelled";

export interface ChoiceFilterProps<Value extends string> {
  readonly label: string;
  readonly choices: readonly { readonly value: Value; readonly label: string }[];
  readonly values: readonly Value[];
  readonly onChange: (values: Value[]) => void;
}

/** A filter by some of several values; none chosen means all. */
export function ChoiceFilter<Value extends string>(props: ChoiceFilterProps<Value>) {
  const { label, choices, values, onChange } = props;
  const { filters } = useTexts().list;
  const id = useId();
  return (
    <Labelled label={label} id={id}>
      <Select<Value[]>
        id={id}
        mode="multiple"
        className="choice-filter"
        placeholder={filters.all}
        allowClear
        maxTagCount="responsive"
        showSearch={{ optionFilterProp: "label" }}
        options={choices.map(({ value, label: text }) => ({ value, label: text }))}
        value={[...values]}
        onChange={onChange}
      />
    </Labelled>
  );
}
