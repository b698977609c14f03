import { Button, Flex, Typography } from "antd";
import { useId } from "react";

import type { Money } from "../format/money";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import type { PaymentBlock } from "./payability";

interface PaymentFooterProps {
  readonly total: Money | undefined;
  readonly block: PaymentBlock | null;
  readonly isReady: boolean;
  readonly onCancel: () => void;
  readonly onPay: () => void;
}

/** The amount to pay and the buttons. If nothing can be paid, the reason is beside them. */
export function PaymentFooter({ total, block, isReady, onCancel, onPay }: PaymentFooterProps) {
  const texts = useTexts();
  const format = useFormat();
  const reasonId = useId();
  return (
    <Flex justify="space-between" align="center" gap="small" wrap className="dialog-footer">
      <span aria-live="polite">
        {total !== undefined && (
          <>
            {texts.payment.toPay}{" "}
            <Typography.Text strong className="total">
              {format.money(total)}
            </Typography.Text>
          </>
        )}
      </span>
      <Flex gap="small" align="center" wrap justify="end">
        {block && (
          <Typography.Text type="danger" id={reasonId} className="payment-block">
            {texts.payment.blocked[block]}
          </Typography.Text>
        )}
        <Button onClick={onCancel}>{texts.operations.cancel}</Button>
        <Button
          type="primary"
          disabled={!isReady || block !== null}
          aria-describedby={block ? reasonId : undefined}
          onClick={onPay}
        >
          {texts.payment.pay}
        </Button>
      </Flex>
    </Flex>
  );
}
