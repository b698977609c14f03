import type { CombinedError } from "@urql/core";
import { useEffect, useRef, useState } from "react";
import { useClient } from "urql";

import {
  SetRenewalPolicyDocument,
  type SetRenewalPolicyInput,
  type SetRenewalPolicyMutation,
} from "../api/generated/graphql";
import { useRefresh } from "../api/refresh";
import { sendUntilAnswered, type Answer } from "./attempt";
import { mutateOnce } from "./mutateOnce";
import { wait } from "../components/wait";

type PolicyAnswer = SetRenewalPolicyMutation["setRenewalPolicy"];
export type PolicySuccess = Extract<PolicyAnswer, { __typename: "SetRenewalPolicySuccess" }>;
export type PolicyRefusal = Exclude<PolicyAnswer, PolicySuccess>;

export type PolicyState =
  | { readonly phase: "editing"; readonly refusal?: PolicyRefusal; readonly error?: CombinedError }
  | { readonly phase: "sending"; readonly lostCount: number }
  /** After a lost answer the counts are those of the repetition, which had nothing left to change. */
  | { readonly phase: "done"; readonly result: PolicySuccess; readonly wasLost: boolean };

/** Set a policy once. A lost answer is asked for again: setting the same policy twice changes nothing. */
export function usePolicyChange(onDone: (() => void) | undefined) {
  const client = useClient();
  const { refresh } = useRefresh();
  const [state, setState] = useState<PolicyState>({ phase: "editing" });
  const isSending = useRef(false);
  const isClosed = useRef(false);
  useEffect(() => {
    isClosed.current = false;
    return () => {
      isClosed.current = true;
    };
  }, []);
  const change = async (input: SetRenewalPolicyInput) => {
    if (isSending.current) return;
    isSending.current = true;
    let wasLost = false;
    setState({ phase: "sending", lostCount: 0 });
    const send = async (): Promise<Answer<PolicyAnswer>> => {
      const { data, error } = await mutateOnce(client, SetRenewalPolicyDocument, { input });
      return error === undefined ? { data: data.setRenewalPolicy } : { error };
    };
    const outcome = await sendUntilAnswered(send, {
      lostBefore: 0,
      wait,
      isStopped: () => isClosed.current,
      onLost: (lostCount) => {
        wasLost = true;
        setState({ phase: "sending", lostCount });
      },
    });
    isSending.current = false;
    refresh();
    if (outcome.kind === "notDone") setState({ phase: "editing", error: outcome.error });
    else if (outcome.kind === "unknown") setState({ phase: "editing" });
    else if (outcome.data.__typename !== "SetRenewalPolicySuccess") {
      setState({ phase: "editing", refusal: outcome.data });
    } else {
      setState({ phase: "done", result: outcome.data, wasLost });
      onDone?.();
    }
  };
  return { state, change };
}
