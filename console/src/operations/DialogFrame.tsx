import { Modal } from "antd";
import type { ReactNode } from "react";

import type { OperationDialogProps } from "./operations";

interface DialogFrameProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly width?: number;
  /** False while something is being done that should be seen to its end. */
  readonly isClosable: boolean;
  readonly footer: ReactNode;
  readonly children: ReactNode;
}

const CLOSE_BUTTON = { disabled: false };
const NO_CLOSE_BUTTON = { disabled: true };

/** The frame of each dialog. A click beside it does not close it, so that no choice is lost by accident. */
export function DialogFrame(props: DialogFrameProps) {
  const { title, width = 880, isOpen, isClosable, onClose, afterClose, footer, children } = props;
  return (
    <Modal
      open={isOpen}
      title={title}
      width={width}
      className="operation-dialog"
      onCancel={() => {
        if (isClosable) onClose();
      }}
      afterClose={afterClose}
      closable={isClosable ? CLOSE_BUTTON : NO_CLOSE_BUTTON}
      keyboard={isClosable}
      mask={{ closable: false }}
      footer={footer}
      destroyOnHidden
    >
      {children}
    </Modal>
  );
}
