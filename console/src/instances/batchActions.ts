import type { ComponentType } from "react";

import type { RenewalTab } from "../api/generated/graphql";
import { operationButton } from "../operations/OperationButton";
import type { SelectionInput } from "./selection";

/** What the button of a batch operation is given. It opens its own dialog. */
export interface BatchActionProps {
  readonly selection: SelectionInput;
  readonly count: number;
  readonly isDisabled: boolean;
  /** Called once the operation was done: the selection is cleared. */
  readonly onDone: () => void;
}

interface BatchAction {
  readonly kind: string;
  /** The tabs on which the operation has nothing to change. */
  readonly hiddenOn: readonly RenewalTab[];
  readonly component: ComponentType<BatchActionProps>;
}

/** The buttons above the table, in this order. */
export const BATCH_ACTIONS: readonly BatchAction[] = [
  { kind: "RENEW", component: operationButton("RENEW"), hiddenOn: ["NO_EXPIRY"] },
  { kind: "SET_AUTO", component: operationButton("SET_AUTO"), hiddenOn: ["NO_EXPIRY"] },
  { kind: "SET_MANUAL", component: operationButton("SET_MANUAL"), hiddenOn: ["MANUAL", "NO_EXPIRY"] },
  { kind: "SET_NONE", component: operationButton("SET_NONE"), hiddenOn: ["NONE", "NO_EXPIRY"] },
  { kind: "UNIFY", component: operationButton("UNIFY"), hiddenOn: ["NO_EXPIRY"] },
  { kind: "SET_TAGS", component: operationButton("SET_TAGS"), hiddenOn: [] },
];
