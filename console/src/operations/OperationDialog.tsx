import { TagsDialog } from "../tags/TagsDialog";
import { CheckPaymentDialog } from "./CheckPaymentDialog";
import { PolicyDialog } from "./PolicyDialog";
import { RenewDialog } from "./RenewDialog";
import { UnifyDialog } from "./UnifyDialog";
import type { OperationDialogProps } from "./operations";

/** The dialog of an operation. It is loaded when the first one opens. */
export default function OperationDialog(props: OperationDialogProps) {
  switch (props.kind) {
    case "RENEW":
      return <RenewDialog {...props} />;
    case "UNIFY":
      return <UnifyDialog {...props} />;
    case "CHECK_PAYMENT":
      return <CheckPaymentDialog {...props} />;
    case "SET_TAGS":
      return <TagsDialog {...props} />;
    case "SET_AUTO":
      return <PolicyDialog {...props} mode="AUTO" />;
    case "SET_MANUAL":
      return <PolicyDialog {...props} mode="MANUAL" />;
    case "SET_NONE":
      return <PolicyDialog {...props} mode="NONE" />;
  }
}
