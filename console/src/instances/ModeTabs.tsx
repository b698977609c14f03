import { Tabs } from "antd";

import type { RenewalTab } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { TABS } from "./listState";

interface ModeTabsProps {
  readonly tab: RenewalTab;
  readonly counts: readonly { readonly value: string; readonly count: number }[];
  readonly onChange: (tab: RenewalTab) => void;
}

/** The tabs of the renewal modes, each with the number of instances that match the filters. */
export function ModeTabs({ tab, counts, onChange }: ModeTabsProps) {
  const texts = useTexts();
  const labelOf = useLabel();
  const format = useFormat();
  const countOf = (value: RenewalTab) => counts.find((count) => count.value === value)?.count;
  return (
    <Tabs
      className="mode-tabs"
      aria-label={texts.list.tabs}
      activeKey={tab}
      onChange={(key) => {
        onChange(key as RenewalTab);
      }}
      items={TABS.map((value) => {
        const count = countOf(value);
        const name = labelOf("RenewalTab", value);
        return { key: value, label: count === undefined ? name : `${name} (${format.count(count)})` };
      })}
    />
  );
}
