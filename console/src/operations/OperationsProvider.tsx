import { Suspense, useCallback, useRef, useState, type ReactNode } from "react";

import { lazyFile } from "../components/lazyFile";
import { LoadBoundary } from "../components/LoadBoundary";
import { returnFocus } from "../components/returnFocus";
import { OperationsContext, type Operation } from "./operations";

const OperationDialog = lazyFile(() => import("./OperationDialog"));

interface OpenedOperation {
  readonly number: number;
  readonly operation: Operation;
  readonly isOpen: boolean;
}

/**
 * Hold the dialog of an operation, so that it stays open when its button or row is gone.
 *
 * A dialog that failed counts as closed, so that the next operation can be opened beside its message.
 */
export function OperationsProvider({ children }: { readonly children: ReactNode }) {
  const [opened, setOpened] = useState<OpenedOperation | null>(null);
  // The frame of a dialog is another one in each of its steps, and only knows what had the focus before that step.
  const opener = useRef<Element | null>(null);
  const open = useCallback((operation: Operation) => {
    opener.current = operation.opener ?? document.activeElement;
    setOpened((before) =>
      before?.isOpen ? before : { number: (before?.number ?? 0) + 1, operation, isOpen: true },
    );
  }, []);
  const close = useCallback(() => {
    setOpened((before) => before && { ...before, isOpen: false });
  }, []);
  const remove = useCallback(() => {
    setOpened((before) => (before?.isOpen ? before : null));
    returnFocus(opener.current);
  }, []);
  const giveUp = useCallback(() => {
    setOpened(null);
    returnFocus(opener.current);
  }, []);
  return (
    <OperationsContext value={open}>
      {children}
      {opened && (
        <LoadBoundary of={opened.number} onFailure={close} onClose={giveUp}>
          <Suspense>
            <OperationDialog
              key={opened.number}
              {...opened.operation}
              isOpen={opened.isOpen}
              onClose={close}
              afterClose={remove}
            />
          </Suspense>
        </LoadBoundary>
      )}
    </OperationsContext>
  );
}
