import { Table, type TableColumnsType } from "antd";
import { useMemo } from "react";

import type { PolicyChangeRowFragment } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
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
  const columns = useChangeColumns(isAuto);
  return (
    <Table<PolicyChangeRowFragment>
      rowKey={({ instance }) => instance.id}
      size="small"
      columns={columns}
      dataSource={[...changes]}
      scroll={{ x: 640 }}
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

function useChangeColumns(isAuto: boolean): TableColumnsType<PolicyChangeRowFragment> {
  const texts = useTexts();
  const format = useFormat();
  return useMemo(() => {
    const { columns, modeWithMonths } = texts.policy;
    const policy = (mode: PolicyChangeRowFragment["toMode"], months: number) =>
      mode === "AUTO"
        ? modeWithMonths(texts.enums.renewalMode[mode], texts.payment.months(months))
        : texts.enums.renewalMode[mode];
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
        render: (_, { fromMode, fromMonths }) => policy(fromMode, fromMonths),
      },
      {
        title: columns.after,
        key: "after",
        width: 150,
        render: (_, { toMode, toMonths }) => <strong>{policy(toMode, toMonths)}</strong>,
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
  }, [texts, format, isAuto]);
}
