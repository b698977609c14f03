import { Alert, Button, Flex, Spin } from "antd";
import type { CombinedError } from "@urql/core";

import type { SetRenewalPolicyInput } from "../api/generated/graphql";
import { ErrorAlert } from "../components/ErrorAlert";
import { useTexts } from "../i18n/useLanguage";
import { AutoRenewMonths } from "./AutoRenewMonths";
import { BundleScope } from "./BundleScope";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";
import { PolicyPreview } from "./PolicyPreview";
import type { PolicyRefusal } from "./usePolicyChange";
import { usePolicyPreview } from "./usePolicyPreview";

interface PolicyFormProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly bundleName: string | null;
  readonly input: SetRenewalPolicyInput;
  readonly problem: { readonly refusal?: PolicyRefusal; readonly error?: CombinedError };
  readonly onMonthsChange: (months: number | null) => void;
  readonly onSubmit: () => void;
}

/** The choice of the months, what it would change, and the button that does it. */
export function PolicyForm(props: PolicyFormProps) {
  const { bundleName, input, problem, onMonthsChange, onSubmit, onClose } = props;
  const texts = useTexts();
  const { preview, error, isLoading, reload, page, setPage } = usePolicyPreview(input);
  const footer = (
    <Flex justify="end" gap="small" wrap>
      <Button onClick={onClose}>{texts.operations.cancel}</Button>
      <Button
        type="primary"
        disabled={!preview || preview.changeCount === 0 || isLoading || error !== undefined}
        onClick={onSubmit}
      >
        {texts.operations.submit}
      </Button>
    </Flex>
  );
  return (
    <DialogFrame {...props} isClosable footer={footer}>
      <Flex vertical gap="middle">
        <BundleScope name={bundleName} />
        {problem.error && <ErrorAlert error={problem.error} />}
        {problem.refusal && <Alert type="error" role="alert" showIcon title={problem.refusal.message} />}
        <Alert type="info" showIcon title={texts.policy.hints[input.mode]} />
        {input.mode === "AUTO" && (
          <AutoRenewMonths
            months={input.autoRenewMonths ?? null}
            onChange={(months) => {
              onMonthsChange(months);
              setPage(1);
            }}
          />
        )}
        {error && <ErrorAlert error={error} onRetry={reload} />}
        {!preview && isLoading && <Spin description={texts.policy.previewing} size="large" />}
        {preview && (
          <Spin spinning={isLoading} delay={200}>
            <PolicyPreview preview={preview} mode={input.mode} page={page} onPageChange={setPage} />
          </Spin>
        )}
      </Flex>
    </DialogFrame>
  );
}
