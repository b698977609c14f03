import { Alert, Button } from "antd";
import type { ReactNode } from "react";

import type { PaymentQuoteFragment } from "../api/generated/graphql";
import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { VoucherPayments } from "./VoucherPayments";

interface PaymentSummaryProps {
  readonly quote: PaymentQuoteFragment;
  readonly onReload: () => void;
}

/** How a quote would be paid: discount, vouchers in their order, balance, and what is left or missing. */
export function PaymentSummary({ quote, onReload }: PaymentSummaryProps) {
  const texts = useTexts().payment;
  const format = useFormat();
  if (quote.lineCount === 0) return null;
  const isShort = isPositive(quote.shortfall);
  return (
    <section aria-label={texts.summary}>
      <dl className="amounts">
        <Amount label={texts.listTotal}>{format.money(quote.listTotal)}</Amount>
        {isPositive(quote.discountTotal) && (
          <Amount label={texts.discount}>{`-${format.money(quote.discountTotal)}`}</Amount>
        )}
        <Amount label={texts.total} isStrong>
          {format.money(quote.total)}
        </Amount>
        {quote.vouchers.length > 0 && (
          <Amount label={texts.byVouchers} detail={<VoucherPayments vouchers={quote.vouchers} />}>
            {format.money(quote.voucherTotal)}
          </Amount>
        )}
        <Amount label={texts.byBalance}>{format.money(quote.balanceTotal)}</Amount>
        {!isShort && <Amount label={texts.balanceAfter}>{format.money(quote.balanceAfter)}</Amount>}
      </dl>
      {isShort && (
        <Alert
          type="error"
          role="alert"
          showIcon
          title={texts.shortfall(format.money(quote.shortfall))}
          description={texts.topUp(format.money(quote.shortfall))}
          action={
            <Button size="small" onClick={onReload}>
              {texts.refresh}
            </Button>
          }
        />
      )}
    </section>
  );
}

interface AmountProps {
  readonly label: string;
  readonly isStrong?: boolean;
  readonly detail?: ReactNode;
  readonly children: string;
}

function Amount({ label, isStrong = false, detail, children }: AmountProps) {
  return (
    <div>
      <dt>{label}</dt>
      <dd className="tabular">
        {isStrong ? <strong>{children}</strong> : children}
        {detail}
      </dd>
    </div>
  );
}
