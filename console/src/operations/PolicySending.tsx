import { Flex, Spin, Typography } from "antd";

import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import type { OperationDialogProps } from "./operations";

interface PolicySendingProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly count: number;
  readonly lostCount: number;
}

/** Show that a change of policies waits for its response. Once a response was lost, the dialog can be closed. */
export function PolicySending({ count, lostCount, ...frame }: PolicySendingProps) {
  const texts = useTexts().policy;
  const format = useFormat();
  return (
    <DialogFrame {...frame} isClosable={lostCount > 0} footer={null}>
      <Flex vertical align="center" gap="small" className="dialog-progress" role="status">
        <Spin size="large" />
        <Typography.Text strong>
          {lostCount > 0 ? texts.confirming : texts.setting(format.count(count))}
        </Typography.Text>
      </Flex>
    </DialogFrame>
  );
}
