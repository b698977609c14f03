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
  /** The tab on which the operation has nothing to change. */
  readonly hiddenOn?: RenewalTab;
  readonly component: ComponentType<BatchActionProps>;
}

/** The buttons above the table, in this order. */
export const BATCH_ACTIONS: readonly BatchAction[] = [
  { kind: "RENEW", component: operationButton("RENEW") },
  { kind: "SET_AUTO", component: operationButton("SET_AUTO") },
  { kind: "SET_MANUAL", component: operationButton("SET_MANUAL"), hiddenOn: "MANUAL" },
  { kind: "SET_NONE", component: operationButton("SET_NONE"), hiddenOn: "NONE" },
  { kind: "UNIFY", component: operationButton("UNIFY") },
  { kind: "SET_TAGS", component: operationButton("SET_TAGS") },
];
