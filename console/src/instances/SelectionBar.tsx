import { Alert, Button, Flex } from "antd";

import { useViewer } from "../app/account";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { BATCH_ACTIONS } from "./batchActions";
import { countOf, type Selection, type SelectionInput } from "./selection";

interface SelectionBarProps {
  readonly selection: Selection;
  readonly selectableCount: number;
  readonly input: SelectionInput;
  readonly onSelectAll: () => void;
  readonly onClear: () => void;
}

/** Say how many instances are selected, and offer what can be done with them. */
export function SelectionBar({ selection, selectableCount, input, onSelectAll, onClear }: SelectionBarProps) {
  const texts = useTexts().list.selection;
  const format = useFormat();
  const { canWrite, limits } = useViewer();
  if (!canWrite) return null;
  const count = countOf(selection, selectableCount);
  const isAll = selection.kind === "matching" && selection.except.size === 0;
  const tooMany = count > limits.instancesPerSelection;
  return (
    <Flex vertical gap="small">
      <Flex component="section" aria-label={texts.actions} gap="small" align="center" wrap>
        {BATCH_ACTIONS.map(({ kind, component: Action }) => (
          <Action
            key={kind}
            selection={input}
            count={count}
            isDisabled={count === 0 || tooMany}
            onDone={onClear}
          />
        ))}
        <span aria-live="polite">
          {isAll ? texts.allSelected(format.count(count)) : texts.count(format.count(count))}
        </span>
        {!isAll && selectableCount > 0 && (
          <Button type="link" size="small" onClick={onSelectAll}>
            {texts.selectAll(format.count(selectableCount))}
          </Button>
        )}
        {count > 0 && (
          <Button type="link" size="small" onClick={onClear}>
            {texts.clear}
          </Button>
        )}
      </Flex>
      {tooMany && (
        <Alert type="warning" showIcon title={texts.tooMany(format.count(limits.instancesPerSelection))} />
      )}
    </Flex>
  );
}
