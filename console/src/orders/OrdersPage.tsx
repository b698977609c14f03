import { Alert, Button, Card, Flex } from "antd";
import { useMemo } from "react";

import { OrderByIdDocument, OrdersDocument, type OrderKind } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { useAccount } from "../app/account";
import { ErrorAlert } from "../components/ErrorAlert";
import { ListFilters } from "../components/ListFilters";
import { cursorVariables } from "../components/cursor";
import { CursorPager } from "../components/CursorPager";
import { Page } from "../components/Page";
import { instantsOf, readChoices, readPeriod } from "../components/period";
import { useAddress } from "../components/useAddress";
import { useCursor } from "../components/useCursor";
import * as messages from "../i18n/messages/orders";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { OrderTable } from "./OrderTable";

const ROWS = 20;
const KINDS: readonly OrderKind[] = ["MANUAL_RENEWAL", "AUTO_RENEWAL", "UNIFY_EXPIRY"];

/** The account's orders, or the one that the address names, with their lines and refunds. */
export default function OrdersPage() {
  const title = useTexts().common.pages.orders;
  const { params } = useAddress();
  const order = params.get("order");
  return <Page title={title}>{order ? <OneOrder id={order} /> : <AllOrders />}</Page>;
}

function AllOrders() {
  const { columns } = useAreaTexts(messages);
  const labelOf = useLabel();
  const { params, change } = useAddress();
  const { timeZone } = useAccount();
  const kinds = readChoices(params, "kind", KINDS);
  const period = readPeriod(params);
  const instanceId = params.get("of") ?? "";
  const key = JSON.stringify([kinds, period, instanceId]);
  const [cursor, move] = useCursor(key);
  const variables = useMemo(() => {
    const instants = instantsOf(period, timeZone);
    const filter = {
      ...(kinds.length > 0 && { kinds }),
      ...(instanceId !== "" && { instanceId }),
      ...(instants.from !== undefined && { createdFrom: instants.from }),
      ...(instants.before !== undefined && { createdBefore: instants.before }),
    };
    return { filter, ...cursorVariables(cursor, ROWS) };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the key holds the filter's values
  }, [key, timeZone, cursor]);
  const { data, error, isLoading, reload } = useApiQuery(OrdersDocument, variables);
  return (
    <Card size="small">
      <Flex vertical gap="middle">
        <ListFilters
          name="kind"
          label={columns.kind}
          choices={KINDS.map((value) => ({ value, label: labelOf("OrderKind", value) }))}
          values={kinds}
          period={period}
          instanceId={instanceId}
          onChange={change}
        />
        {error && <ErrorAlert error={error} onRetry={reload} />}
        <OrderTable orders={data?.orders.nodes ?? []} isLoading={isLoading} />
        {data && <CursorPager {...data.orders} onMove={move} />}
      </Flex>
    </Card>
  );
}

function OneOrder({ id }: { readonly id: string }) {
  const texts = useAreaTexts(messages);
  const { change } = useAddress();
  const variables = useMemo(() => ({ id }), [id]);
  const { data, error, isLoading, reload } = useApiQuery(OrderByIdDocument, variables);
  const order = data?.order;
  return (
    <Card size="small">
      <Flex vertical gap="middle" align="start">
        <Button
          onClick={() => {
            change({ order: null });
          }}
        >
          {texts.all}
        </Button>
        {error && <ErrorAlert error={error} onRetry={reload} />}
        {data && !order && <Alert type="warning" showIcon title={texts.notFound(id)} />}
        <OrderTable
          orders={order ? [order] : []}
          isLoading={isLoading}
          {...(order && { openId: order.id })}
        />
      </Flex>
    </Card>
  );
}
