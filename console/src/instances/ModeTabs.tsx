import { Tabs } from "antd";

import type { RenewalTab } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
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
        return {
          key: value,
          label:
            count === undefined
              ? texts.enums.tab[value]
              : `${texts.enums.tab[value]} (${format.count(count)})`,
        };
      })}
    />
  );
}
