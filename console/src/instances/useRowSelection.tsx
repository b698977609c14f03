import { Tooltip, type TableProps } from "antd";
import { useMemo } from "react";

import { useViewer } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import { isSelected, type Selection } from "./selection";
import { useBatchRefusal } from "./useBatchRefusal";
import type { InstanceRow } from "./useInstanceList";

type RowSelection = NonNullable<TableProps<InstanceRow>["rowSelection"]>;

/** Return the checkboxes of the table. One that cannot be ticked gives the reason on hover. */
export function useRowSelection(
  rows: readonly InstanceRow[],
  selection: Selection,
  onSelect: (ids: Iterable<string>, isAdded: boolean) => void,
): RowSelection | undefined {
  const texts = useTexts().list;
  const { canWrite } = useViewer();
  const refusalOf = useBatchRefusal();
  const selectedRowKeys = useMemo(
    () => rows.filter((row) => refusalOf(row) === null && isSelected(selection, row.id)).map(({ id }) => id),
    [rows, selection, refusalOf],
  );
  if (!canWrite) return undefined;
  return {
    selectedRowKeys,
    columnWidth: 44,
    getTitleCheckboxProps: () => ({ "aria-label": texts.selectPage }),
    getCheckboxProps: (row) => ({ disabled: refusalOf(row) !== null, "aria-label": texts.selectRow(row.id) }),
    renderCell: (_, row, __, checkbox) => {
      const refusal = refusalOf(row);
      return refusal === null ? checkbox : <Tooltip title={refusal}>{checkbox}</Tooltip>;
    },
    onChange: (keys) => {
      const after = new Set(keys);
      const before = new Set(selectedRowKeys);
      const ids = rows.map(({ id }) => id);
      onSelect(
        ids.filter((id) => after.has(id) && !before.has(id)),
        true,
      );
      onSelect(
        ids.filter((id) => before.has(id) && !after.has(id)),
        false,
      );
    },
  };
}
