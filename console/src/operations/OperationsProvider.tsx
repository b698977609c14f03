import { lazy, Suspense, useCallback, useState, type ReactNode } from "react";

import { OperationsContext, type Operation } from "./operations";

const OperationDialog = lazy(() => import("./OperationDialog"));

interface OpenedOperation {
  readonly number: number;
  readonly operation: Operation;
  readonly isOpen: boolean;
}

/** Hold the dialog of an operation, so that it stays open when its button or row is gone. */
export function OperationsProvider({ children }: { readonly children: ReactNode }) {
  const [opened, setOpened] = useState<OpenedOperation | null>(null);
  const open = useCallback((operation: Operation) => {
    setOpened((before) =>
      before?.isOpen ? before : { number: (before?.number ?? 0) + 1, operation, isOpen: true },
    );
  }, []);
  const close = useCallback(() => {
    setOpened((before) => before && { ...before, isOpen: false });
  }, []);
  const remove = useCallback(() => {
    setOpened((before) => (before?.isOpen ? before : null));
  }, []);
  return (
    <OperationsContext value={open}>
      {children}
      {opened && (
        <Suspense>
          <OperationDialog
            key={opened.number}
            {...opened.operation}
            isOpen={opened.isOpen}
            onClose={close}
            afterClose={remove}
          />
        </Suspense>
      )}
    </OperationsContext>
  );
}
