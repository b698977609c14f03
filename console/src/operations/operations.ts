import { createContext, useContext } from "react";

import type { BundleHandling } from "../api/generated/graphql";
import type { SelectionInput } from "../instances/selection";

/** What can be done with instances: each has a dialog. */
export type OperationKind =
  "SET_AUTO" | "SET_MANUAL" | "SET_NONE" | "SET_TAGS" | "RENEW" | "UNIFY" | "CHECK_PAYMENT";

/** The instances of a dialog. They stay the same while it is open, whatever is selected behind it. */
export interface OperationTarget {
  readonly selection: SelectionInput;
  readonly count: number;
  /** Name of the bundle if one of its members stands for all of them; null for a selection without bundles. */
  readonly bundleName: string | null;
}

export interface Operation {
  readonly kind: OperationKind;
  readonly target: OperationTarget;
  /** What gets the focus when the dialog has closed, if it is not what has the focus now. */
  readonly opener?: HTMLElement | null;
  /** Called once the operation was done. */
  readonly onDone?: (() => void) | undefined;
}

export interface OperationDialogProps extends Operation {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly afterClose: () => void;
}

export const OperationsContext = createContext<((operation: Operation) => void) | null>(null);

/** Return a function that opens the dialog of an operation. */
export function useOperations(): (operation: Operation) => void {
  const open = useContext(OperationsContext);
  if (!open) throw new Error("useOperations needs an OperationsProvider around the component");
  return open;
}

/** Return the arguments that name the instances. A bundle is always taken as a whole. */
export function toSelectionArguments({ selection, bundleName }: OperationTarget): {
  selection: SelectionInput;
  bundles: BundleHandling;
} {
  return { selection, bundles: bundleName === null ? "REFUSE" : "WHOLE" };
}
