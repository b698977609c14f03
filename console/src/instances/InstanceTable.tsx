import { Grid, Table, type TableProps } from "antd";

import type { InstanceOrderField } from "../api/generated/graphql";
import { useIsNarrow } from "../components/useIsNarrow";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { useRowSelection } from "./useRowSelection";
import { useInstanceColumns } from "./columns";
import { INITIAL_STATE, PAGE_SIZES, type ListState } from "./listState";
import type { Selection } from "./selection";
import type { InstanceRow } from "./useInstanceList";

interface InstanceTableProps {
  readonly state: ListState;
  readonly rows: readonly InstanceRow[];
  readonly totalCount: number;
  readonly isLoading: boolean;
  readonly selection: Selection;
  readonly onSelect: (ids: Iterable<string>, isAdded: boolean) => void;
  readonly onChange: (change: Partial<ListState>) => void;
}

type OnTableChange = NonNullable<TableProps<InstanceRow>["onChange"]>;

export function InstanceTable(props: InstanceTableProps) {
  const { state, rows, totalCount, isLoading, selection, onSelect, onChange } = props;
  const texts = useTexts().list;
  const format = useFormat();
  const isNarrow = useIsNarrow();
  const isWide = Grid.useBreakpoint().xl ?? true;
  const rowSelection = useRowSelection(rows, selection, onSelect);
  const onTableChange: OnTableChange = (pagination, _, sorter, { action }) => {
    if (action === "paginate") {
      const pageSize = pagination.pageSize ?? state.pageSize;
      onChange({ page: pageSize === state.pageSize ? (pagination.current ?? 1) : 1, pageSize });
    } else if (action === "sort" && !Array.isArray(sorter)) {
      onChange({
        sortField: sorter.order ? (sorter.columnKey as InstanceOrderField) : INITIAL_STATE.sortField,
        sortDirection: sorter.order === "descend" ? "DESC" : "ASC",
      });
    }
  };
  return (
    <Table<InstanceRow>
      rowKey="id"
      size="middle"
      columns={useInstanceColumns(state)}
      dataSource={[...rows]}
      loading={{ spinning: isLoading, delay: 200 }}
      {...(rowSelection && { rowSelection })}
      onChange={onTableChange}
      {...(!isNarrow && { scroll: { x: isWide ? 1000 : 780 } })}
      locale={{ emptyText: isLoading ? " " : texts.empty }}
      pagination={{
        current: state.page,
        pageSize: state.pageSize,
        total: totalCount,
        pageSizeOptions: [...PAGE_SIZES],
        showSizeChanger: true,
        showQuickJumper: true,
        showTotal: (total) => texts.total(format.count(total)),
      }}
    />
  );
}
