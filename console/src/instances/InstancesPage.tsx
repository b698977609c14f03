import { Breadcrumb, Card, Flex, Typography } from "antd";
import { useEffect } from "react";

import { useTexts } from "../i18n/useLanguage";
import { ErrorAlert } from "../components/ErrorAlert";
import { OperationsProvider } from "../operations/OperationsProvider";
import { PendingPaymentAlert } from "../operations/PendingPaymentAlert";
import { AccountSummary } from "./AccountSummary";
import { BundleNote } from "./BundleNote";
import { InstanceFilters } from "./InstanceFilters";
import { InstanceTable } from "./InstanceTable";
import { ModeTabs } from "./ModeTabs";
import { SelectionBar } from "./SelectionBar";
import { toSelectionInput } from "./selection";
import { useInstanceList } from "./useInstanceList";
import { useListState } from "./useListState";
import { useSelection } from "./useSelection";

/** Renewal management (续费管理): the account's instances, by renewal mode. */
export function InstancesPage() {
  const texts = useTexts();
  const [state, change] = useListState();
  const list = useInstanceList();
  const { selection, change: select, selectAll, clear } = useSelection(list.selectableFilter);
  const title = texts.common.pages.instances;
  useEffect(() => {
    document.title = `${title} - ${texts.common.product}`;
  }, [title, texts.common.product]);
  useEffect(() => {
    const lastPage = Math.max(1, Math.ceil(list.totalCount / state.pageSize));
    if (!list.isLoading && list.totalCount > 0 && state.page > lastPage) change({ page: lastPage });
  }, [list.isLoading, list.totalCount, state.page, state.pageSize, change]);
  return (
    <OperationsProvider>
      <Flex vertical gap="middle">
        <Breadcrumb items={[{ title: texts.common.product }, { title }]} />
        <Typography.Title level={1} className="page-title">
          {title}
        </Typography.Title>
        <PendingPaymentAlert />
        <AccountSummary />
        <BundleNote />
        <Card size="small">
          <Flex vertical gap="middle">
            <InstanceFilters state={state} onChange={change} />
            <ModeTabs
              tab={state.tab}
              counts={list.tabCounts}
              onChange={(tab) => {
                change({ tab });
              }}
            />
            <SelectionBar
              tab={state.tab}
              selection={selection}
              selectableCount={list.selectableCount}
              input={toSelectionInput(selection, list.selectableFilter)}
              onSelectAll={selectAll}
              onClear={clear}
            />
            {list.error && <ErrorAlert error={list.error} onRetry={list.reload} />}
            <InstanceTable
              state={state}
              rows={list.rows}
              totalCount={list.totalCount}
              isLoading={list.isLoading}
              selection={selection}
              onSelect={select}
              onChange={change}
            />
          </Flex>
        </Card>
      </Flex>
    </OperationsProvider>
  );
}
