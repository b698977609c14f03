import { Flex, Typography } from "antd";

import { useAccount } from "../app/account";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { useProductNames } from "./useCatalog";

/** The usable vouchers, in the order in which they pay. */
export function VoucherList() {
  const texts = useTexts().list;
  const format = useFormat();
  const nameOf = useProductNames();
  const { vouchers } = useAccount();
  return (
    <Flex component="ol" vertical gap="small" className="vouchers">
      {vouchers.map(({ id, available, expiresAt, products }) => (
        <li key={id}>
          <Typography.Text strong>{format.money(available)}</Typography.Text>{" "}
          <Typography.Text type="secondary">
            {texts.voucherUntil(format.day(expiresAt))} ·{" "}
            {products.length > 0 ? texts.voucherProducts(products.map(nameOf)) : texts.voucherAllProducts}
          </Typography.Text>
        </li>
      ))}
    </Flex>
  );
}
