import { Flex, Typography } from "antd";

import { useAccount } from "../app/account";
import { dayOf, daysBetween } from "../format/time";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

const SOON_DAYS = 7;

/** The expiry in the account's time zone, and the days until then. */
export function ExpiryCell({ row }: { readonly row: InstanceRow }) {
  const texts = useTexts().list;
  const format = useFormat();
  const { timeZone } = useAccount();
  if (row.expiresAt === null) return texts.noExpiry;
  const days = daysBetween(dayOf(new Date(), timeZone), dayOf(row.expiresAt, timeZone));
  return (
    <Flex vertical>
      <span className="tabular">{format.instant(row.expiresAt)}</span>
      <Typography.Text type={days <= SOON_DAYS ? "danger" : "secondary"}>
        {texts.daysLeft(days)}
      </Typography.Text>
    </Flex>
  );
}
