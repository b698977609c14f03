import { Alert, Card, Flex, Popover, Button, Statistic, Typography } from "antd";
import { useMemo } from "react";

import { ForecastWarningDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { useAccount } from "../app/account";
import { isPositive } from "../format/money";
import { dayOf } from "../format/time";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { VoucherList } from "./VoucherList";

const FORECAST_DAYS = 30;

/** The account's money, and the warning if it does not suffice for the automatic renewals of the next 30 days. */
export function AccountSummary() {
  const texts = useTexts().list;
  const format = useFormat();
  const { balance, vouchers } = useAccount();
  return (
    <Card size="small">
      <Flex className="account-summary" gap="large" align="start" wrap>
        <Statistic title={texts.balance} value={balance} formatter={() => format.money(balance)} />
        <Flex vertical gap={4}>
          <Typography.Text type="secondary">{texts.vouchers}</Typography.Text>
          {vouchers.length === 0 ? (
            <Typography.Text>{texts.noVouchers}</Typography.Text>
          ) : (
            <Popover
              trigger="click"
              placement="bottomLeft"
              title={texts.voucherOrder}
              content={<VoucherList />}
            >
              <Button size="small">{texts.voucherCount(vouchers.length)}</Button>
            </Popover>
          )}
        </Flex>
        <ShortfallWarning />
      </Flex>
    </Card>
  );
}

function ShortfallWarning() {
  const texts = useTexts().list;
  const format = useFormat();
  const { timeZone, testClock } = useAccount();
  const variables = useMemo(() => ({ days: FORECAST_DAYS }), []);
  const { data } = useApiQuery(ForecastWarningDocument, variables);
  if (!data || !isPositive(data.forecast.topUpNeeded)) return null;
  const { topUpNeeded, firstShortfallOn } = data.forecast;
  const amount = format.money(topUpNeeded);
  const isToday = firstShortfallOn === null || firstShortfallOn === dayOf(testClock ?? new Date(), timeZone);
  return (
    <Alert
      type="warning"
      showIcon
      title={isToday ? texts.shortfallToday(amount) : texts.shortfall(amount, firstShortfallOn)}
    />
  );
}
