import { Flex, Typography } from "antd";
import { Link } from "wouter";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import type { InstanceDetail } from "./InstanceDrawer";

/** One fewer than the query asks for, so that the page learns whether there are more. */
const SHOWN = 20;

interface OrderListProps {
  readonly instanceId: string;
  readonly orders: InstanceDetail["orders"];
}

/** The latest orders with a line of the instance. */
export function OrderList({ instanceId, orders }: OrderListProps) {
  const texts = useAreaTexts(messages);
  const labelOf = useLabel();
  const format = useFormat();
  if (orders.length === 0) return <Typography.Text type="secondary">{texts.noOrders}</Typography.Text>;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {orders.slice(0, SHOWN).map(({ id, kind, createdAt, total, lineCount }) => (
        <li key={id}>
          <span className="tabular">{format.instant(createdAt)}</span> {labelOf("OrderKind", kind)}{" "}
          <Link href={`/orders?order=${id}`}>{format.money(total)}</Link>{" "}
          {lineCount > 1 && (
            <Typography.Text type="secondary">{texts.lines(format.count(lineCount))}</Typography.Text>
          )}
        </li>
      ))}
      {orders.length > SHOWN && (
        <li>
          <Link href={`/orders?of=${encodeURIComponent(instanceId)}`}>{texts.allOrders}</Link>
        </li>
      )}
    </Flex>
  );
}
