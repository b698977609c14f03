import type { Client, CombinedError } from "@urql/core";

import {
  RenewInstancesDocument,
  UnifyExpiryDocument,
  type RenewInstancesInput,
  type RenewInstancesMutation,
  type UnifyExpiryInput,
  type UnifyExpiryMutation,
} from "../api/generated/graphql";
import type { Answer } from "./attempt";
import { mutateOnce } from "./mutateOnce";

/** What is to be paid: the mutation and its input. */
export type PaymentRequest =
  | { readonly kind: "RENEW"; readonly input: RenewInstancesInput }
  | { readonly kind: "UNIFY"; readonly input: UnifyExpiryInput };

/** What the customer agreed to by paying a quote. */
export type Agreement = Required<Pick<RenewInstancesInput, "batchMode" | "expectedTotal" | "idempotencyKey">>;

/** A payment that was sent, or is about to be: all that is needed to ask for its result again. */
export interface Payment {
  readonly request: PaymentRequest;
  readonly count: number;
  readonly total: string;
}

type PaymentAnswer = RenewInstancesMutation["payment"] | UnifyExpiryMutation["payment"];

export type PaymentSuccess = Extract<
  PaymentAnswer,
  { __typename: "RenewInstancesSuccess" | "UnifyExpirySuccess" }
>;
export type PaymentRefusal = Exclude<PaymentAnswer, PaymentSuccess>;

/** Why nothing was paid: the server's refusal, or the error of a request that it did not carry out. */
export type PaymentProblem =
  | { readonly kind: "refused"; readonly refusal: PaymentRefusal }
  | { readonly kind: "notDone"; readonly error: CombinedError };

/** Send a payment, or ask for its result: with the same key the server answers the same and pays nothing again. */
export async function sendPayment(client: Client, { request }: Payment): Promise<Answer<PaymentAnswer>> {
  const { data, error } =
    request.kind === "RENEW"
      ? await mutateOnce(client, RenewInstancesDocument, { input: request.input })
      : await mutateOnce(client, UnifyExpiryDocument, { input: request.input });
  return error === undefined ? { data: data.payment } : { error };
}

export function isPaid(answer: PaymentAnswer): answer is PaymentSuccess {
  return answer.__typename === "RenewInstancesSuccess" || answer.__typename === "UnifyExpirySuccess";
}
