import { Button, Tooltip } from "antd";

import { useViewer } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import type { BatchActionProps } from "../instances/batchActions";
import { useOperations, type OperationKind } from "./operations";

interface OperationButtonProps extends BatchActionProps {
  readonly kind: OperationKind;
}

/** A button above the table, which opens the dialog of an operation for what is selected. */
export function OperationButton({ kind, selection, count, isDisabled, onDone }: OperationButtonProps) {
  const texts = useTexts().operations;
  const { canWrite } = useViewer();
  const open = useOperations();
  return (
    <Tooltip title={canWrite ? null : texts.readOnly}>
      <Button
        type={kind === "RENEW" ? "primary" : "default"}
        disabled={isDisabled || !canWrite}
        onClick={() => {
          open({ kind, target: { selection, count, bundleName: null }, onDone });
        }}
      >
        {texts.kinds[kind]}
      </Button>
    </Tooltip>
  );
}

/** Return the button of an operation as a batch action. */
export function operationButton(kind: OperationKind) {
  return function BatchOperation(props: BatchActionProps) {
    return <OperationButton {...props} kind={kind} />;
  };
}
