import { Alert, Button } from "antd";
import { useSyncExternalStore } from "react";

import { useAccount } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import { useOperations } from "./operations";
import { PENDING } from "./pendingPayment";

/** Say that the result of a payment is not known, and lead to it. */
export function PendingPaymentAlert() {
  const texts = useTexts().payment;
  const open = useOperations();
  const { id } = useAccount();
  const payment = useSyncExternalStore(PENDING.subscribe, () => PENDING.findUnknown(id));
  if (!payment) return null;
  const target = { selection: { ids: [] }, count: payment.count, bundleName: null };
  return (
    <Alert
      type="warning"
      showIcon
      title={texts.pending}
      action={
        <Button
          size="small"
          onClick={() => {
            open({ kind: "CHECK_PAYMENT", target });
          }}
        >
          {texts.confirm}
        </Button>
      }
    />
  );
}
