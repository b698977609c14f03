import { Flex, Spin } from "antd";
import { useState } from "react";

import { ErrorAlert } from "../components/ErrorAlert";
import { useTexts } from "../i18n/useLanguage";
import { BundleScope } from "./BundleScope";
import { DialogFrame } from "./DialogFrame";
import { findPaymentBlock } from "./payability";
import type { PaymentDialogProps } from "./PaymentDialog";
import { PaymentFooter } from "./PaymentFooter";
import type { PaymentProblem } from "./payment";
import { PaymentProblemAlert } from "./PaymentProblemAlert";
import { PaymentSummary } from "./PaymentSummary";
import { QuoteLines } from "./QuoteLines";
import { QuoteRefusals } from "./QuoteRefusals";

interface PaymentFormProps extends PaymentDialogProps {
  readonly problem: PaymentProblem | null;
}

/** The choice, its quote, and the button that pays it. */
export function PaymentForm(props: PaymentFormProps) {
  const { target, process, problem, build, onClose, children } = props;
  const texts = useTexts().payment;
  const [isPartial, setIsPartial] = useState(false);
  const { quote, error, isLoading, reload, page, setPage } = props.quote;
  const block = quote ? findPaymentBlock(quote, isPartial) : null;
  const pay = () => {
    if (!quote || block) return;
    process.pay((idempotencyKey) => ({
      request: build({
        idempotencyKey,
        expectedTotal: quote.total,
        batchMode: quote.refusalCount > 0 ? "BEST_EFFORT" : "ALL_OR_NOTHING",
      }),
      count: quote.lineCount,
      total: quote.total,
    }));
  };
  const footer = (
    <PaymentFooter
      total={quote?.total}
      block={block}
      isReady={quote !== undefined && !isLoading && !error}
      onCancel={onClose}
      onPay={pay}
    />
  );
  return (
    <DialogFrame {...props} isClosable footer={footer}>
      <Flex vertical gap="middle">
        <BundleScope name={target.bundleName} />
        {problem && <PaymentProblemAlert problem={problem} isEarlier={process.isEarlier} />}
        {children}
        {error && <ErrorAlert error={error} onRetry={reload} />}
        {!quote && isLoading && <Spin description={texts.quoting} size="large" />}
        {quote && (
          <Spin spinning={isLoading} delay={200}>
            <Flex vertical gap="middle">
              <QuoteRefusals quote={quote} isPartial={isPartial} onPartialChange={setIsPartial} />
              <QuoteLines quote={quote} page={page} onPageChange={setPage} />
              <PaymentSummary quote={quote} onReload={reload} />
            </Flex>
          </Spin>
        )}
      </Flex>
    </DialogFrame>
  );
}
