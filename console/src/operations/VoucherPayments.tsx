import type { VoucherPaymentFragment } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { useProductNames } from "../instances/useCatalog";

/** The vouchers that pay, in the order in which they do. */
export function VoucherPayments({ vouchers }: { readonly vouchers: readonly VoucherPaymentFragment[] }) {
  const texts = useTexts().list;
  const format = useFormat();
  const nameOf = useProductNames();
  return (
    <ol className="voucher-payments">
      {vouchers.map(({ voucher: { id, expiresAt, products }, amount }) => (
        <li key={id}>
          {format.money(amount)} · {texts.voucherUntil(format.day(expiresAt))} ·{" "}
          {products.length > 0 ? texts.voucherProducts(products.map(nameOf)) : texts.voucherAllProducts}
        </li>
      ))}
    </ol>
  );
}
