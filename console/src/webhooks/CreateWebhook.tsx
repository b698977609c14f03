import { Alert, Form, Input, Modal, Select } from "antd";
import { useState } from "react";

import { CreateWebhookDocument } from "../api/generated/graphql";
import { newIdempotencyKey } from "../api/idempotencyKey";
import { useApiMutation } from "../api/useApiMutation";
import { messageOf } from "../api/errors";
import { EVENT_TYPES } from "../history/eventTypes";
import * as events from "../i18n/messages/events";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";

interface CreateWebhookProps {
  readonly onCreated: (secret: string) => void;
  readonly onClose: () => void;
}

interface Values {
  readonly url: string;
  readonly eventTypes?: string[];
}

export function CreateWebhook({ onCreated, onClose }: CreateWebhookProps) {
  const texts = useAreaTexts(messages);
  const { types } = useAreaTexts(events);
  const { errors } = useTexts().common;
  const [form] = Form.useForm<Values>();
  const { run, isRunning } = useApiMutation(CreateWebhookDocument);
  const [problem, setProblem] = useState<string | null>(null);
  // Another request has another key; the same request again, after an error, has the same one.
  const [idempotencyKey, setIdempotencyKey] = useState(newIdempotencyKey);
  const create = async ({ url, eventTypes }: Values) => {
    const { data, error } = await run({
      input: { url: url.trim(), eventTypes: eventTypes ?? [], idempotencyKey },
    });
    const result = data?.createWebhookEndpoint;
    if (result?.__typename === "CreateWebhookEndpointSuccess") onCreated(result.secret);
    else setProblem(error ? messageOf(error, errors) : (result?.message ?? errors.unexpected));
  };
  return (
    <Modal
      open
      title={texts.create}
      okText={texts.create}
      confirmLoading={isRunning}
      onOk={() => {
        form.submit();
      }}
      onCancel={onClose}
    >
      <Form<Values>
        form={form}
        layout="vertical"
        requiredMark={false}
        onValuesChange={() => {
          setIdempotencyKey(newIdempotencyKey());
        }}
        onFinish={(finished) => void create(finished)}
      >
        <Form.Item name="url" label={texts.url} rules={[{ required: true, message: texts.urlRequired }]}>
          <Input type="url" placeholder="https://" autoFocus />
        </Form.Item>
        <Form.Item name="eventTypes" label={texts.eventTypes}>
          <Select
            mode="multiple"
            allowClear
            placeholder={texts.allTypes}
            options={EVENT_TYPES.map((value) => ({ value, label: types[value] }))}
          />
        </Form.Item>
      </Form>
      {problem !== null && <Alert type="error" role="alert" showIcon title={problem} />}
    </Modal>
  );
}
