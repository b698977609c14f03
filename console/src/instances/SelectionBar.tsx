import { Alert, Button, Flex, Typography } from "antd";

import type { RenewalTab } from "../api/generated/graphql";
import { useViewer } from "../app/account";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { BATCH_ACTIONS } from "./batchActions";
import { countOf, type Selection, type SelectionInput } from "./selection";

interface SelectionBarProps {
  readonly tab: RenewalTab;
  readonly selection: Selection;
  readonly selectableCount: number;
  readonly input: SelectionInput;
  readonly onSelectAll: () => void;
  readonly onClear: () => void;
}

/** Say how many instances are selected, and offer what can be done with them. */
export function SelectionBar(props: SelectionBarProps) {
  const { tab, selection, selectableCount, input, onSelectAll, onClear } = props;
  const texts = useTexts();
  const format = useFormat();
  const { canWrite, limits } = useViewer();
  const count = countOf(selection, selectableCount);
  const tooMany = count > limits.instancesPerSelection;
  return (
    <Flex vertical gap="small">
      <Flex component="section" aria-label={texts.list.selection.actions} gap="small" align="center" wrap>
        {BATCH_ACTIONS.filter(({ hiddenOn }) => !hiddenOn.includes(tab)).map(
          ({ kind, component: Action }) => (
            <Action
              key={kind}
              selection={input}
              count={count}
              isDisabled={count === 0 || tooMany}
              onDone={onClear}
            />
          ),
        )}
        {canWrite ? (
          <SelectionCount {...{ selection, selectableCount, onSelectAll, onClear }} />
        ) : (
          <Typography.Text type="secondary">{texts.operations.readOnly}</Typography.Text>
        )}
      </Flex>
      {tooMany && (
        <Alert
          type="warning"
          showIcon
          title={texts.list.selection.tooMany(format.count(limits.instancesPerSelection))}
        />
      )}
    </Flex>
  );
}

type SelectionCountProps = Omit<SelectionBarProps, "tab" | "input">;

function SelectionCount({ selection, selectableCount, onSelectAll, onClear }: SelectionCountProps) {
  const texts = useTexts().list.selection;
  const format = useFormat();
  const count = countOf(selection, selectableCount);
  const isAll = selection.kind === "matching" && selection.except.size === 0;
  return (
    <>
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
    </>
  );
}
