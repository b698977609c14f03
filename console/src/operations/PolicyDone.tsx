import { Button, Flex, Result } from "antd";
import { useLocation } from "wouter";

import type { RenewalMode } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import { RefusalAlert } from "./RefusalAlert";
import type { PolicySuccess } from "./usePolicyChange";

interface PolicyDoneProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly mode: RenewalMode;
  readonly result: PolicySuccess;
  readonly wasLost: boolean;
}

/** What was changed, what was not, and the way to the list where the instances are now. */
export function PolicyDone({ mode, result, wasLost, ...frame }: PolicyDoneProps) {
  const texts = useTexts();
  const labelOf = useLabel();
  const format = useFormat();
  const [, navigate] = useLocation();
  const { changedCount, unchangedCount, refusals, refusalCount } = result;
  const footer = (
    <Flex justify="end" gap="small" wrap>
      <Button
        onClick={() => {
          frame.onClose();
          navigate(`/?tab=${mode}`);
        }}
      >
        {texts.policy.showList(labelOf("RenewalMode", mode))}
      </Button>
      <Button type="primary" autoFocus onClick={frame.onClose}>
        {texts.operations.finish}
      </Button>
    </Flex>
  );
  return (
    <DialogFrame {...frame} isClosable footer={footer}>
      <Flex vertical gap="middle" role="status">
        <Result
          status="success"
          className="payment-result"
          title={texts.policy.done}
          subTitle={
            wasLost
              ? texts.policy.doneAfterLoss
              : texts.policy.changed(changedCount, format.count(changedCount)) +
                (unchangedCount > 0
                  ? ` ${texts.policy.unchanged(unchangedCount, format.count(unchangedCount))}`
                  : "")
          }
        />
        <RefusalAlert
          title={texts.policy.refused(refusalCount, format.count(refusalCount))}
          refusals={refusals}
          count={refusalCount}
        />
      </Flex>
    </DialogFrame>
  );
}
