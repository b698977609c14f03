import { createContext, useContext } from "react";

import type {
  ActorKind,
  BillingMode,
  InstanceStatus,
  LedgerEntryKind,
  OrderKind,
  RefusalCode,
  RenewalMode,
  RenewalTab,
} from "../api/generated/graphql";

interface LabelledEnums {
  readonly ActorKind: ActorKind;
  readonly BillingMode: BillingMode;
  readonly InstanceStatus: InstanceStatus;
  readonly LedgerEntryKind: LedgerEntryKind;
  readonly OrderKind: OrderKind;
  readonly RefusalCode: RefusalCode;
  readonly RenewalMode: RenewalMode;
  readonly RenewalTab: RenewalTab;
}

/** Returns the API's words for a value of an enum: those of its exports and its messages. */
export type LabelOf = <Name extends keyof LabelledEnums>(name: Name, value: LabelledEnums[Name]) => string;

/** Null until the words are there. */
export const LabelContext = createContext<LabelOf | null>(null);

export function useLabel(): LabelOf {
  const labelOf = useContext(LabelContext);
  if (!labelOf) throw new Error("useLabel needs a LabelProvider, and an AccountProvider, which waits for it");
  return labelOf;
}
