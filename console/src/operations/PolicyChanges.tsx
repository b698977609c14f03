import { Table, type TableColumnsType } from "antd";
import { useCallback, useMemo } from "react";

import type { PolicyChangeRowFragment } from "../api/generated/graphql";
import { useIsNarrow } from "../components/useIsNarrow";
import { useFormat } from "../format/useFormat";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { OperatedInstance } from "./OperatedInstance";
import { CHANGES_PER_PAGE } from "./usePolicyPreview";

interface PolicyChangesProps {
  readonly changes: readonly PolicyChangeRowFragment[];
  readonly count: number;
  readonly isAuto: boolean;
  readonly page: number;
  readonly onPageChange: (page: number) => void;
}

/** The mode before and after of each instance, and its first automatic charge. */
export function PolicyChanges({ changes, count, isAuto, page, onPageChange }: PolicyChangesProps) {
  const texts = useTexts().policy;
  const format = useFormat();
  const isNarrow = useIsNarrow();
  const wideColumns = useWideColumns(isAuto);
  const narrowColumns = useNarrowColumns(isAuto);
  return (
    <Table<PolicyChangeRowFragment>
      rowKey={({ instance }) => instance.id}
      size="small"
      columns={isNarrow ? narrowColumns : wideColumns}
      dataSource={[...changes]}
      {...(!isNarrow && { scroll: { x: 640 } })}
      pagination={
        count > CHANGES_PER_PAGE && {
          current: page,
          pageSize: CHANGES_PER_PAGE,
          total: count,
          showSizeChanger: false,
          size: "small",
          showTotal: (total) => texts.changeCount(format.count(total)),
          onChange: onPageChange,
        }
      }
    />
  );
}

/** Return a function that names a renewal mode, with its months. */
function useModeName() {
  const { policy, payment } = useTexts();
  const labelOf = useLabel();
  return useCallback(
    (mode: PolicyChangeRowFragment["toMode"], months: number) => {
      const name = labelOf("RenewalMode", mode);
      return mode === "AUTO" ? policy.modeWithMonths(name, payment.months(months)) : name;
    },
    [policy, payment, labelOf],
  );
}

function useWideColumns(isAuto: boolean): TableColumnsType<PolicyChangeRowFragment> {
  const { columns } = useTexts().policy;
  const format = useFormat();
  const nameOf = useModeName();
  return useMemo(() => {
    const all: TableColumnsType<PolicyChangeRowFragment> = [
      {
        title: columns.instance,
        key: "instance",
        render: (_, { instance }) => <OperatedInstance instance={instance} />,
      },
      {
        title: columns.before,
        key: "before",
        width: 150,
        render: (_, { fromMode, fromMonths }) => nameOf(fromMode, fromMonths),
      },
      {
        title: columns.after,
        key: "after",
        width: 150,
        render: (_, { toMode, toMonths }) => <strong>{nameOf(toMode, toMonths)}</strong>,
      },
      {
        title: columns.firstChargeAt,
        key: "firstChargeAt",
        width: 170,
        className: "tabular",
        render: (_, { firstChargeAt }) => (firstChargeAt === null ? "-" : format.instant(firstChargeAt)),
      },
      {
        title: columns.firstChargePrice,
        key: "firstChargePrice",
        width: 120,
        align: "end",
        className: "tabular",
        render: (_, { firstChargePrice }) =>
          firstChargePrice === null ? "-" : format.money(firstChargePrice),
      },
    ];
    return isAuto ? all : all.slice(0, 3);
  }, [columns, format, nameOf, isAuto]);
}

function useNarrowColumns(isAuto: boolean): TableColumnsType<PolicyChangeRowFragment> {
  const { columns } = useTexts().policy;
  const format = useFormat();
  const nameOf = useModeName();
  return useMemo(() => {
    const all: TableColumnsType<PolicyChangeRowFragment> = [
      {
        title: columns.instance,
        key: "instance",
        render: (_, { instance, fromMode, fromMonths, toMode, toMonths }) => (
          <>
            <OperatedInstance instance={instance} />
            <br />
            {nameOf(fromMode, fromMonths)} → <strong>{nameOf(toMode, toMonths)}</strong>
          </>
        ),
      },
      {
        title: columns.firstChargePrice,
        key: "firstCharge",
        width: 112,
        className: "tabular",
        render: (_, { firstChargeAt, firstChargePrice }) => (
          <>
            {firstChargePrice === null ? "-" : format.money(firstChargePrice)}
            <br />
            {firstChargeAt !== null && <span className="note">{format.instant(firstChargeAt)}</span>}
          </>
        ),
      },
    ];
    return isAuto ? all : all.slice(0, 1);
  }, [columns, format, nameOf, isAuto]);
}
