import { Alert, Form, Input, Modal, Select } from "antd";
import { useState } from "react";

import { EVENT_TYPES } from "../history/eventTypes";
import * as events from "../i18n/messages/events";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";

export interface WebhookValues {
  readonly url: string;
  readonly eventTypes: readonly string[];
}

interface WebhookDialogProps {
  readonly title: string;
  readonly values: WebhookValues;
  readonly isRunning: boolean;
  /** Send the values; return why they were refused, or null. */
  readonly onSubmit: (values: WebhookValues) => Promise<string | null>;
  readonly onChange?: () => void;
  readonly onClose: () => void;
}

/** The URL and the event types of an endpoint. */
export function WebhookDialog(props: WebhookDialogProps) {
  const { title, values, isRunning, onSubmit, onChange, onClose } = props;
  const texts = useAreaTexts(messages);
  const { types } = useAreaTexts(events);
  const [form] = Form.useForm<WebhookValues>();
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async ({ url, eventTypes }: WebhookValues) => {
    setProblem(await onSubmit({ url: url.trim(), eventTypes }));
  };
  return (
    <Modal
      open
      title={title}
      okText={title}
      confirmLoading={isRunning}
      onOk={() => {
        form.submit();
      }}
      onCancel={onClose}
    >
      <Form<WebhookValues>
        form={form}
        layout="vertical"
        requiredMark={false}
        initialValues={values}
        {...(onChange && { onValuesChange: onChange })}
        onFinish={(finished) => void submit(finished)}
      >
        <Form.Item name="url" label={texts.url} rules={[{ required: true, message: texts.urlRequired }]}>
          <Input type="url" placeholder="https://" autoFocus />
        </Form.Item>
        <Form.Item name="eventTypes" label={texts.eventTypes}>
          <Select
            mode="multiple"
            allowClear
            placeholder={texts.allTypes}
            showSearch={{ optionFilterProp: "label" }}
            options={EVENT_TYPES.map((value) => ({ value, label: types[value] }))}
          />
        </Form.Item>
      </Form>
      {problem !== null && <Alert type="error" role="alert" showIcon title={problem} />}
    </Modal>
  );
}
