import { Flex, Grid, Tag, type TableColumnsType } from "antd";
import { useMemo } from "react";

import type { InstanceOrderField, InstanceStatus } from "../api/generated/graphql";
import { useIsNarrow } from "../components/useIsNarrow";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { RowOperations } from "../operations/RowOperations";
import { Configuration } from "./Configuration";
import { ExpiryCell } from "./ExpiryCell";
import { InstanceCell } from "./InstanceCell";
import type { ListState } from "./listState";
import { useCatalogName } from "./useCatalog";
import type { InstanceRow } from "./useInstanceList";

const STATUS_COLORS: Readonly<Record<InstanceStatus, string>> = {
  RUNNING: "success",
  EXPIRED: "error",
  RELEASED: "default",
};

function StatusTag({ status }: { readonly status: InstanceStatus }) {
  return <Tag color={STATUS_COLORS[status]}>{useLabel()("InstanceStatus", status)}</Tag>;
}

/** The expiry, the status and the operations, in one column of a narrow screen. */
function NarrowCell({ row }: { readonly row: InstanceRow }) {
  return (
    <Flex vertical gap={4} align="start">
      <ExpiryCell row={row} />
      <StatusTag status={row.status} />
      <RowOperations row={row} />
    </Flex>
  );
}

/** Return the columns of the list: those of the seed's page, then the status; two on a narrow screen. */
export function useInstanceColumns({ sortField, sortDirection }: ListState): TableColumnsType<InstanceRow> {
  const texts = useTexts();
  const labelOf = useLabel();
  const nameOf = useCatalogName();
  // Below 1200 px there is no room for the configuration: the drawer has it.
  const isWide = Grid.useBreakpoint().xl ?? true;
  const isNarrow = useIsNarrow();
  return useMemo(() => {
    const { columns } = texts.list;
    const sorted = (field: InstanceOrderField) =>
      ({
        key: field,
        sorter: true,
        sortOrder: field === sortField ? (sortDirection === "ASC" ? "ascend" : "descend") : null,
      }) as const;
    if (isNarrow) {
      return [
        {
          title: columns.id,
          ...sorted("ID"),
          render: (_, row) => <InstanceCell row={row} product={nameOf(row.product)} />,
        },
        {
          title: columns.expiry,
          ...sorted("EXPIRES_AT"),
          width: 136,
          render: (_, row) => <NarrowCell row={row} />,
        },
      ];
    }
    return [
      {
        title: columns.id,
        ...sorted("ID"),
        width: isWide ? 226 : 190,
        render: (_, row) => <InstanceCell row={row} />,
      },
      {
        title: columns.product,
        ...sorted("PRODUCT"),
        ...(isWide && { width: 110 }),
        render: (_, row) => nameOf(row.product),
      },
      {
        title: columns.configuration,
        key: "configuration",
        responsive: ["xl"],
        render: (_, row) => <Configuration row={row} />,
      },
      {
        title: columns.billing,
        key: "billing",
        width: 84,
        render: (_, row) => labelOf("BillingMode", row.billingMode),
      },
      {
        title: columns.expiry,
        ...sorted("EXPIRES_AT"),
        width: 158,
        render: (_, row) => <ExpiryCell row={row} />,
      },
      {
        title: columns.status,
        key: "status",
        width: 84,
        render: (_, row) => <StatusTag status={row.status} />,
      },
      {
        title: texts.operations.column,
        key: "operations",
        fixed: "end",
        width: 130,
        render: (_, row) => <RowOperations row={row} />,
      },
    ];
  }, [texts, labelOf, nameOf, sortField, sortDirection, isWide, isNarrow]);
}
