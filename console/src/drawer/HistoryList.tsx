import { Flex, Typography } from "antd";
import { Link } from "wouter";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { InstanceHistoryQuery } from "../api/generated/graphql";

interface HistoryListProps {
  readonly id: string;
  readonly history: InstanceHistoryQuery["eventHistory"];
}

/** The latest events of the instance, and the way to all of them. */
export function HistoryList({ id, history }: HistoryListProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { nodes, totalCount } = history;
  if (totalCount === 0) return <Typography.Text type="secondary">{texts.noHistory}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {nodes.map(({ sequence, occurredAt, summary }) => (
        <li key={sequence}>
          <span className="tabular">{format.instant(occurredAt)}</span> {summary}
        </li>
      ))}
      {totalCount > nodes.length && (
        <li>
          <Link href={`/history?of=${encodeURIComponent(id)}`}>
            {texts.allHistory(format.count(totalCount))}
          </Link>
        </li>
      )}
    </Flex>
  );
}
