import { UpdateWebhookDocument, type WebhookFragment } from "../api/generated/graphql";
import { messageOf } from "../api/errors";
import { useApiMutation } from "../api/useApiMutation";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { WebhookDialog, type WebhookValues } from "./WebhookDialog";

interface EditWebhookProps {
  readonly endpoint: WebhookFragment;
  readonly onClose: () => void;
}

export function EditWebhook({ endpoint, onClose }: EditWebhookProps) {
  const texts = useAreaTexts(messages);
  const { errors } = useTexts().common;
  const { run, isRunning } = useApiMutation(UpdateWebhookDocument);
  const update = async ({ url, eventTypes }: WebhookValues) => {
    const { data, error } = await run({ input: { id: endpoint.id, url, eventTypes: [...eventTypes] } });
    const result = data?.updateWebhookEndpoint;
    if (error ?? !result) return error ? messageOf(error, errors) : errors.unexpected;
    if ("message" in result) return result.message;
    onClose();
    return null;
  };
  return (
    <WebhookDialog
      title={texts.save}
      values={endpoint}
      isRunning={isRunning}
      onSubmit={update}
      onClose={onClose}
    />
  );
}
