import type { ComponentType } from "react";

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
  readonly component: ComponentType<BatchActionProps>;
}

/** The buttons above the table, in this order. */
export const BATCH_ACTIONS: readonly BatchAction[] = (
  ["RENEW", "SET_AUTO", "SET_MANUAL", "SET_NONE", "UNIFY"] as const
).map((kind) => ({ kind, component: operationButton(kind) }));
