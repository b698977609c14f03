import type { CombinedError } from "@urql/core";
import { Alert, Button, Flex, Popconfirm } from "antd";
import { useState } from "react";

import {
  DeleteWebhookDocument,
  RotateWebhookSecretDocument,
  TestWebhookDocument,
  UpdateWebhookDocument,
  type WebhookFragment,
} from "../api/generated/graphql";
import { messageOf } from "../api/errors";
import { newIdempotencyKey } from "../api/idempotencyKey";
import { useApiMutation } from "../api/useApiMutation";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { EditWebhook } from "./EditWebhook";
import { responseOf } from "./response";

interface WebhookActionsProps {
  readonly endpoint: WebhookFragment;
  readonly onSecret: (secret: string) => void;
}

interface Note {
  readonly type: "success" | "error";
  readonly text: string;
}

/** Test, edit, enable or disable, rotate the secret, delete; with what came of it. */
export function WebhookActions({ endpoint, onSecret }: WebhookActionsProps) {
  const { id, enabled } = endpoint;
  const texts = useAreaTexts(messages);
  const { errors } = useTexts().common;
  const test = useApiMutation(TestWebhookDocument);
  const update = useApiMutation(UpdateWebhookDocument);
  const rotate = useApiMutation(RotateWebhookSecretDocument);
  const remove = useApiMutation(DeleteWebhookDocument);
  const [note, setNote] = useState<Note | null>(null);
  const [isEditing, setIsEditing] = useState(false);
  const problem = (error: CombinedError | undefined, message: string | undefined) => {
    const text = error ? messageOf(error, errors) : message;
    setNote(text === undefined ? null : { type: "error", text });
  };
  const sendTest = async () => {
    const { data, error } = await test.run({ input: { id } });
    const result = data?.sendTestWebhook;
    if (result?.__typename !== "SendTestWebhookSuccess") problem(error, result?.message);
    else if (result.delivered) setNote({ type: "success", text: texts.testDelivered(result.status ?? 0) });
    else setNote({ type: "error", text: texts.testFailed(responseOf(result)) });
  };
  const toggle = async () => {
    const { data, error } = await update.run({ input: { id, enabled: !enabled } });
    const result = data?.updateWebhookEndpoint;
    problem(error, result && "message" in result ? result.message : undefined);
  };
  const rotateSecret = async () => {
    const { data, error } = await rotate.run({ input: { id, idempotencyKey: newIdempotencyKey() } });
    const result = data?.rotateWebhookSecret;
    if (result?.__typename === "RotateWebhookSecretSuccess") onSecret(result.secret);
    else problem(error, result?.message);
  };
  const removeEndpoint = async () => {
    const { data, error } = await remove.run({ input: { id } });
    const result = data?.deleteWebhookEndpoint;
    problem(error, result && "message" in result ? result.message : undefined);
  };
  return (
    <Flex vertical gap="small">
      <Flex gap="small" wrap>
        <Button loading={test.isRunning} onClick={() => void sendTest()}>
          {texts.test}
        </Button>
        <Button
          onClick={() => {
            setIsEditing(true);
          }}
        >
          {texts.edit}
        </Button>
        <Button loading={update.isRunning} onClick={() => void toggle()}>
          {enabled ? texts.disable : texts.enable}
        </Button>
        <Popconfirm title={texts.rotateConfirm} onConfirm={() => void rotateSecret()}>
          <Button loading={rotate.isRunning}>{texts.rotate}</Button>
        </Popconfirm>
        <Popconfirm title={texts.deleteConfirm} onConfirm={() => void removeEndpoint()}>
          <Button danger loading={remove.isRunning}>
            {texts.delete}
          </Button>
        </Popconfirm>
      </Flex>
      {isEditing && (
        <EditWebhook
          endpoint={endpoint}
          onClose={() => {
            setIsEditing(false);
          }}
        />
      )}
      {note && <Alert type={note.type} role="status" showIcon title={note.text} />}
    </Flex>
  );
}
