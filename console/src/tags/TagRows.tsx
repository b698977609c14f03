import { Button, Flex, Form, Input } from "antd";

import * as messages from "../i18n/messages/tags";
import { useAreaTexts } from "../i18n/useAreaTexts";

// Limits of the API: rule 36.
const TAGS_MAX = 20;
const KEY_LENGTH_MAX = 64;
const VALUE_LENGTH_MAX = 128;

/** The field `tags` of a form: a row for each tag. */
export function TagRows() {
  const texts = useAreaTexts(messages);
  return (
    <Form.List name="tags">
      {(rows, { add, remove }) => (
        <Flex vertical gap="small">
          {rows.map(({ key, name }) => (
            <Flex key={key} gap="small" align="start">
              <Form.Item
                name={[name, "key"]}
                className="tag-field"
                rules={[{ required: true, whitespace: true, message: texts.keyRequired }]}
              >
                <Input aria-label={texts.key} placeholder={texts.key} maxLength={KEY_LENGTH_MAX} />
              </Form.Item>
              <Form.Item name={[name, "value"]} className="tag-field">
                <Input aria-label={texts.value} placeholder={texts.value} maxLength={VALUE_LENGTH_MAX} />
              </Form.Item>
              <Button
                type="text"
                onClick={() => {
                  remove(name);
                }}
              >
                {texts.remove}
              </Button>
            </Flex>
          ))}
          <Button
            type="dashed"
            block
            disabled={rows.length >= TAGS_MAX}
            onClick={() => {
              add({ key: "", value: "" });
            }}
          >
            {texts.add}
          </Button>
        </Flex>
      )}
    </Form.List>
  );
}
