import { Flex, Skeleton, Typography } from "antd";
import { useMemo, useState } from "react";

import { OrderLinesDocument, type OrderLinesQuery } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { ErrorAlert } from "../components/ErrorAlert";
import { InstanceLink } from "../components/InstanceLink";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/orders";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { OrderLineTable } from "./OrderLineTable";

export type OrderLines = NonNullable<OrderLinesQuery["order"]>;

const LINES = 20;

/** The lines of an order, a page at a time, and its refunds. */
export function OrderDetail({ id }: { readonly id: string }) {
  const [page, setPage] = useState(1);
  const variables = useMemo(() => ({ id, first: LINES, offset: (page - 1) * LINES }), [id, page]);
  const { data, error, isLoading, reload } = useApiQuery(OrderLinesDocument, variables);
  if (error) return <ErrorAlert error={error} onRetry={reload} />;
  if (!data?.order) return <Skeleton active />;
  return (
    <Flex vertical gap="small">
      <OrderLineTable order={data.order} page={page} rows={LINES} isLoading={isLoading} onPage={setPage} />
      {data.order.refunds.map((refund) => (
        <RefundNote key={refund.id} refund={refund} />
      ))}
    </Flex>
  );
}

function RefundNote({ refund }: { readonly refund: OrderLines["refunds"][number] }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { createdAt, total, voucherTotal, balanceTotal, lines, lineCount } = refund;
  return (
    <section aria-label={texts.refund}>
      <Typography.Text strong>
        {texts.refundOf(format.instant(createdAt), format.money(total))}
      </Typography.Text>{" "}
      {texts.refundParts(format.money(voucherTotal), format.money(balanceTotal))}
      <ul className="plain-list">
        {lines.map(({ instanceId, amount }) => (
          <li key={instanceId}>
            <InstanceLink id={instanceId} /> {format.money(amount)}
          </li>
        ))}
        {lineCount > lines.length && <li>{texts.moreLines(format.count(lineCount - lines.length))}</li>}
      </ul>
    </section>
  );
}
