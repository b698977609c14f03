import { Flex, Typography } from "antd";
import { Link } from "wouter";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import type { InstanceDetail } from "./InstanceDrawer";
import { takeLatest } from "./latest";

interface OrderListProps {
  readonly instanceId: string;
  readonly orders: InstanceDetail["orders"];
}

/** The latest orders with a line of the instance. */
export function OrderList({ instanceId, orders }: OrderListProps) {
  const texts = useAreaTexts(messages);
  const labelOf = useLabel();
  const format = useFormat();
  const { shown, isCut } = takeLatest(orders);
  if (shown.length === 0) return <Typography.Text type="secondary">{texts.noOrders}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {shown.map(({ id, kind, createdAt, total, lineCount }) => (
        <li key={id}>
          <span className="tabular">{format.instant(createdAt)}</span> {labelOf("OrderKind", kind)}{" "}
          <Link href={`/orders?order=${id}`}>{format.money(total)}</Link>{" "}
          {lineCount > 1 && (
            <Typography.Text type="secondary">{texts.lines(format.count(lineCount))}</Typography.Text>
          )}
        </li>
      ))}
      {isCut && (
        <li>
          <Link href={`/orders?of=${encodeURIComponent(instanceId)}`}>{texts.allOrders}</Link>
        </li>
      )}
    </Flex>
  );
}
