import { Alert, Button, Flex, Form, Select } from "antd";
import { useState } from "react";

import { SetTagsDocument } from "../api/generated/graphql";
import { messageOf } from "../api/errors";
import { useApiMutation } from "../api/useApiMutation";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/tags";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "../operations/DialogFrame";
import type { OperationDialogProps } from "../operations/operations";
import { TagRows } from "./TagRows";
import { changeOfTags, isNoChange, type TagPair } from "./tags";
import { TagsDone, type TagsResult } from "./TagsDone";

interface TagsDialogProps extends Omit<OperationDialogProps, "kind"> {
  /** The present tags of one instance; without them, tags are added to and removed from a selection. */
  readonly tags?: readonly TagPair[];
}

interface Values {
  readonly tags?: readonly { readonly key: string; readonly value?: string }[];
  readonly removeKeys?: string[];
}

export function TagsDialog({ target, tags, onDone, ...frame }: TagsDialogProps) {
  const texts = useAreaTexts(messages);
  const { operations, common } = useTexts();
  const format = useFormat();
  const [form] = Form.useForm<Values>();
  const { run, isRunning } = useApiMutation(SetTagsDocument);
  const [problem, setProblem] = useState<string | null>(null);
  const [result, setResult] = useState<TagsResult | null>(null);
  const submit = async ({ tags: rows = [], removeKeys = [] }: Values) => {
    const wanted = rows.map(({ key, value = "" }) => ({ key: key.trim(), value: value.trim() }));
    const change = tags ? changeOfTags(tags, wanted) : { set: wanted, removeKeys };
    if (isNoChange(change)) {
      if (tags) frame.onClose();
      else setProblem(texts.nothing);
      return;
    }
    const { data, error } = await run({ input: { selection: target.selection, ...change } });
    const answer = data?.setTags;
    if (answer?.__typename !== "SetTagsSuccess") {
      setProblem(error ? messageOf(error, common.errors) : (answer?.message ?? common.errors.unexpected));
    } else if (tags && answer.refusals[0]) {
      setProblem(answer.refusals[0].message);
    } else {
      onDone?.();
      if (tags) frame.onClose();
      else setResult(answer);
    }
  };
  const footer = result ? (
    <Button type="primary" autoFocus onClick={frame.onClose}>
      {operations.finish}
    </Button>
  ) : (
    <Flex justify="end" gap="small">
      <Button onClick={frame.onClose}>{operations.cancel}</Button>
      <Button
        type="primary"
        loading={isRunning}
        onClick={() => {
          form.submit();
        }}
      >
        {operations.submit}
      </Button>
    </Flex>
  );
  return (
    <DialogFrame {...frame} title={texts.title} width={560} isClosable={!isRunning} footer={footer}>
      {result ? (
        <TagsDone result={result} />
      ) : (
        <Form<Values>
          form={form}
          layout="vertical"
          requiredMark={false}
          initialValues={{ tags: tags ?? [{ key: "", value: "" }] }}
          onFinish={(values) => void submit(values)}
        >
          <Flex vertical gap="middle">
            {problem !== null && <Alert type="error" role="alert" showIcon title={problem} />}
            {!tags && <Alert type="info" showIcon title={texts.scope(format.count(target.count))} />}
            <TagRows />
            {!tags && (
              <Form.Item name="removeKeys" label={texts.removeKeys} className="last-field">
                <Select mode="tags" open={false} suffix={null} placeholder={texts.removeHint} />
              </Form.Item>
            )}
          </Flex>
        </Form>
      )}
    </DialogFrame>
  );
}
