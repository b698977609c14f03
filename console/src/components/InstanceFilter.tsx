import { Input } from "antd";
import { useId } from "react";

import * as lists from "../i18n/messages/lists";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { Labelled } from "./Labelled";

interface InstanceFilterProps {
  readonly instanceId: string;
  readonly onChange: (id: string) => void;
}

/** A filter by the id of an instance. */
export function InstanceFilter({ instanceId, onChange }: InstanceFilterProps) {
  const texts = useAreaTexts(lists);
  const id = useId();
  return (
    <Labelled label={texts.instance} id={id} isWide>
      <Input.Search
        key={instanceId}
        id={id}
        allowClear
        defaultValue={instanceId}
        onSearch={(text) => {
          onChange(text.trim());
        }}
      />
    </Labelled>
  );
}
