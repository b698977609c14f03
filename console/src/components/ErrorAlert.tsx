import type { CombinedError } from "@urql/core";
import { Alert, Button } from "antd";

import { messageOf } from "../api/errors";
import { useTexts } from "../i18n/useLanguage";

interface ErrorAlertProps {
  readonly error: CombinedError;
  readonly onRetry?: () => void;
}

/** Say why a request failed, in a sentence, and offer to send it again. */
export function ErrorAlert({ error, onRetry }: ErrorAlertProps) {
  const texts = useTexts().common;
  const retry = onRetry && (
    <Button size="small" onClick={onRetry}>
      {texts.retry}
    </Button>
  );
  return <Alert type="error" role="alert" showIcon title={messageOf(error, texts.errors)} action={retry} />;
}
