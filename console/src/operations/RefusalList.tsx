import { Collapse } from "antd";

import type { RefusalRowFragment } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { groupRefusals } from "./refusalGroups";

interface RefusalListProps {
  readonly refusals: readonly RefusalRowFragment[];
  /** The number of all refusals; the API lists the first 100. */
  readonly count: number;
}

/** The instances that cannot take part, by reason. */
export function RefusalList({ refusals, count }: RefusalListProps) {
  const texts = useTexts();
  const labelOf = useLabel();
  const format = useFormat();
  const groups = groupRefusals(refusals);
  const isCut = refusals.length < count;
  return (
    <>
      <Collapse
        // Folded or open by the reasons that there are now: antd reads its default once.
        key={groups
          .map(({ code }) => code)
          .sort()
          .join()}
        size="small"
        defaultActiveKey={groups.length === 1 ? groups.map(({ code }) => code) : []}
        items={groups.map((group) => ({
          key: group.code,
          label: texts.operations.refusals.group(
            labelOf("RefusalCode", group.code),
            isCut ? null : format.count(group.refusals.length),
          ),
          children: (
            <ul className="refusals" tabIndex={0} aria-label={labelOf("RefusalCode", group.code)}>
              {group.refusals.map(({ instanceId, message }) => (
                <li key={instanceId}>
                  <span className="instance-id">{instanceId}</span>
                  {texts.operations.refusals.separator}
                  {message}
                </li>
              ))}
            </ul>
          ),
        }))}
      />
      {isCut && (
        <p className="note">
          {texts.operations.refusals.cut(format.count(refusals.length), format.count(count))}
        </p>
      )}
    </>
  );
}
