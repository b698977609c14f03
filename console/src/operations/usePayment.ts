import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "urql";

import { newIdempotencyKey } from "../api/idempotencyKey";
import { useRefresh } from "../api/refresh";
import { useAccount } from "../app/account";
import { wait } from "../components/wait";
import { sendUntilAnswered } from "./attempt";
import { isPaid, sendPayment, type Payment, type PaymentProblem, type PaymentSuccess } from "./payment";
import { PENDING } from "./pendingPayment";

export type PaymentState =
  | { readonly phase: "editing"; readonly problem: PaymentProblem | null }
  /** The result of an earlier payment is not known; it is asked for before anything else is paid. */
  | { readonly phase: "pending"; readonly payment: Payment }
  | { readonly phase: "sending"; readonly payment: Payment; readonly lostCount: number }
  | { readonly phase: "done"; readonly payment: Payment; readonly result: PaymentSuccess };

export interface PaymentProcess {
  readonly state: PaymentState;
  /** Whether the payment of the state was begun by an earlier dialog. */
  readonly isEarlier: boolean;
  /** Pay once: `build` is given the key of this dialog's payment. */
  readonly pay: (build: (idempotencyKey: string) => Payment) => void;
  readonly confirm: () => void;
  /** Delete the record of the payment whose result is not known; what the dialog shows stays. */
  readonly forget: () => void;
  /** Go on without the result of the earlier payment, or after it. */
  readonly restart: () => void;
}

/** Pay once, however often the button is pressed and the answer is lost. */
export function usePayment(onDone: (() => void) | undefined): PaymentProcess {
  const client = useClient();
  const { refresh } = useRefresh();
  const { id: accountId } = useAccount();
  const [earlier, setEarlier] = useState(() => PENDING.get(accountId));
  const [state, setState] = useState<PaymentState>(
    earlier ? { phase: "pending", payment: earlier } : { phase: "editing", problem: null },
  );
  const key = useRef<string>(null);
  const sending = useRef<Payment>(null);
  const isStopped = useIsUnmounted();
  useEffect(
    () => () => {
      if (sending.current) PENDING.leave(accountId, sending.current);
    },
    [accountId],
  );

  const send = useCallback(
    async (payment: Payment, lostBefore: number) => {
      if (sending.current) return;
      sending.current = payment;
      PENDING.put(accountId, payment);
      setState({ phase: "sending", payment, lostCount: lostBefore });
      const outcome = await sendUntilAnswered(() => sendPayment(client, payment), {
        lostBefore,
        wait,
        isStopped: () => isStopped.current,
        onLost: (lostCount) => {
          setState({ phase: "sending", payment, lostCount });
        },
      });
      sending.current = null;
      // Another dialog may send the same payment meanwhile: after its own has closed, only success ends the question.
      if (isStopped.current && !(outcome.kind === "answered" && isPaid(outcome.data))) return;
      if (outcome.kind === "unknown") {
        PENDING.leave(accountId, payment);
        setState({ phase: "pending", payment });
        return;
      }
      PENDING.delete(accountId, payment);
      key.current = null; // what follows is another request
      refresh();
      if (outcome.kind === "notDone") {
        setState({ phase: "editing", problem: outcome });
      } else if (isPaid(outcome.data)) {
        setState({ phase: "done", payment, result: outcome.data });
        if (payment !== earlier) onDone?.();
      } else {
        setState({ phase: "editing", problem: { kind: "refused", refusal: outcome.data } });
      }
    },
    [accountId, client, earlier, isStopped, onDone, refresh],
  );
  const pay = (build: (idempotencyKey: string) => Payment) => {
    key.current ??= newIdempotencyKey();
    void send(build(key.current), 0);
  };
  const confirm = () => {
    if (state.phase === "pending") void send(state.payment, 1); // at least one answer was lost
  };
  const forget = () => {
    if (state.phase === "pending") PENDING.delete(accountId, state.payment);
  };
  const restart = () => {
    forget();
    setEarlier(null);
    setState({ phase: "editing", problem: null });
  };
  return { state, isEarlier: earlier !== null, pay, confirm, forget, restart };
}

function useIsUnmounted() {
  const isUnmounted = useRef(false);
  useEffect(() => {
    isUnmounted.current = false;
    return () => {
      isUnmounted.current = true;
    };
  }, []);
  return isUnmounted;
}
