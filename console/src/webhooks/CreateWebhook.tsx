import { useState } from "react";

import { CreateWebhookDocument } from "../api/generated/graphql";
import { messageOf } from "../api/errors";
import { newIdempotencyKey } from "../api/idempotencyKey";
import { useApiMutation } from "../api/useApiMutation";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { WebhookDialog, type WebhookValues } from "./WebhookDialog";

interface CreateWebhookProps {
  readonly onCreated: (secret: string) => void;
  readonly onClose: () => void;
}

const NO_VALUES: WebhookValues = { url: "", eventTypes: [] };

export function CreateWebhook({ onCreated, onClose }: CreateWebhookProps) {
  const texts = useAreaTexts(messages);
  const { errors } = useTexts().common;
  const { run, isRunning } = useApiMutation(CreateWebhookDocument);
  // Another request has another key; the same request again, after an error, has the same one.
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  const create = async ({ url, eventTypes }: WebhookValues) => {
    const { data, error } = await run({ input: { url, eventTypes: [...eventTypes], idempotencyKey } });
    const result = data?.createWebhookEndpoint;
    if (result?.__typename !== "CreateWebhookEndpointSuccess")
      return error ? messageOf(error, errors) : (result?.message ?? errors.unexpected);
    onCreated(result.secret);
    return null;
  };
  return (
    <WebhookDialog
      title={texts.create}
      values={NO_VALUES}
      isRunning={isRunning}
      onSubmit={create}
      onChange={() => {
        setIdempotencyKey(newIdempotencyKey());
      }}
      onClose={onClose}
    />
  );
}
