import { useMemo, useState } from "react";

import type { RenewalMode } from "../api/generated/graphql";
import { useTexts } from "../i18n/useLanguage";
import { toSelectionArguments, type OperationDialogProps } from "./operations";
import { PolicyDone } from "./PolicyDone";
import { PolicyForm } from "./PolicyForm";
import { PolicySending } from "./PolicySending";
import { usePolicyChange } from "./usePolicyChange";

interface PolicyDialogProps extends OperationDialogProps {
  readonly mode: RenewalMode;
}

/** Set how the instances are renewed (设为自动续费), after a preview of what will happen. */
export function PolicyDialog({ mode, ...props }: PolicyDialogProps) {
  const { target, isOpen, onClose, afterClose, kind } = props;
  const title = useTexts().operations.kinds[kind];
  const [months, setMonths] = useState<number | null>(null);
  const { state, change } = usePolicyChange(props.onDone);
  const input = useMemo(
    () => ({ ...toSelectionArguments(target), mode, autoRenewMonths: mode === "AUTO" ? months : null }),
    [target, mode, months],
  );
  const frame = { title, isOpen, onClose, afterClose };
  switch (state.phase) {
    case "editing":
      return (
        <PolicyForm
          {...frame}
          bundleName={target.bundleName}
          input={input}
          problem={state}
          onMonthsChange={setMonths}
          onSubmit={() => void change(input)}
        />
      );
    case "sending":
      return <PolicySending {...frame} count={target.count} lostCount={state.lostCount} />;
    case "done":
      return <PolicyDone {...frame} mode={mode} result={state.result} wasLost={state.wasLost} />;
  }
}
