import { Button, Card, Flex, Radio, Segmented, Select, Typography } from "antd";
import { useId, useState } from "react";

import type { RenewalTab } from "../api/generated/graphql";
import { useAccount } from "../app/account";
import { Labelled } from "../components/Labelled";
import { Page } from "../components/Page";
import { instantsOf, type Period } from "../components/period";
import { PeriodFilter } from "../components/PeriodFilter";
import * as messages from "../i18n/messages/exports";
import * as lists from "../i18n/messages/lists";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { useLanguage, useTexts } from "../i18n/useLanguage";
import { TABS } from "../instances/listState";
import { DownloadStatus } from "./DownloadStatus";
import { EXPORT_FORMATS, EXPORT_TABLES, exportUrl, type ExportChoice } from "./exportUrl";
import { useDownload } from "./useDownload";

/** Whole lists as files. */
export default function ExportsPage() {
  const texts = useAreaTexts(messages);
  const { common } = useTexts();
  const { period: periodLabel } = useAreaTexts(lists);
  const { language } = useLanguage();
  const { timeZone } = useAccount();
  const [table, setTable] = useState<ExportChoice["table"]>("instances");
  const [format, setFormat] = useState<ExportChoice["format"]>("csv");
  const [tab, setTab] = useState<RenewalTab | null>(null);
  const [period, setPeriod] = useState<Period>({ from: null, to: null });
  const { state, start, cancel } = useDownload();
  const isRunning = state.kind === "running";
  return (
    <Page title={common.pages.exports}>
      <Card size="small">
        <Flex vertical gap="middle" align="start">
          <Segmented<ExportChoice["table"]>
            aria-label={texts.table}
            value={table}
            options={EXPORT_TABLES.map((value) => ({ value, label: texts.tables[value] }))}
            onChange={setTable}
          />
          <Typography.Text type="secondary">{texts.hints[table]}</Typography.Text>
          {table === "instances" ? (
            <TabChoice tab={tab} onChange={setTab} />
          ) : (
            <PeriodFilter label={periodLabel} period={period} onChange={setPeriod} />
          )}
          <Radio.Group
            aria-label={texts.format}
            value={format}
            options={EXPORT_FORMATS.map((value) => ({ value, label: texts.formats[value] }))}
            onChange={({ target }) => {
              setFormat(target.value as ExportChoice["format"]);
            }}
          />
          <Flex gap="small">
            <Button
              type="primary"
              loading={isRunning}
              onClick={() => {
                start(exportUrl({ table, format, tab, instants: instantsOf(period, timeZone) }, language));
              }}
            >
              {texts.download}
            </Button>
            {isRunning && <Button onClick={cancel}>{texts.cancel}</Button>}
          </Flex>
          <DownloadStatus state={state} />
        </Flex>
      </Card>
    </Page>
  );
}

interface TabChoiceProps {
  readonly tab: RenewalTab | null;
  readonly onChange: (tab: RenewalTab | null) => void;
}

function TabChoice({ tab, onChange }: TabChoiceProps) {
  const { list } = useTexts();
  const labelOf = useLabel();
  const id = useId();
  return (
    <Labelled label={list.tabs} id={id}>
      <Select<RenewalTab | null>
        id={id}
        className="choice-filter"
        placeholder={list.filters.all}
        allowClear
        value={tab}
        options={TABS.map((value) => ({ value, label: labelOf("RenewalTab", value) }))}
        onChange={(value: RenewalTab | undefined | null) => {
          onChange(value ?? null);
        }}
      />
    </Labelled>
  );
}
