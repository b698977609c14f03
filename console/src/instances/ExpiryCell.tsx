import { Flex, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

const SOON_DAYS = 7;

/** The expiry in the account's time zone, and the days until then. */
export function ExpiryCell({ row }: { readonly row: InstanceRow }) {
  const texts = useTexts().list;
  const format = useFormat();
  const { expiresAt, daysLeft } = row;
  if (expiresAt === null || daysLeft === null) return texts.noExpiry;
  return (
    <Flex vertical>
      <span className="tabular">{format.instant(expiresAt)}</span>
      <Typography.Text type={daysLeft <= SOON_DAYS ? "danger" : "secondary"}>
        {texts.daysLeft(daysLeft)}
      </Typography.Text>
    </Flex>
  );
}
