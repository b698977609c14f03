import { Alert, Button } from "antd";
import { Component, type ReactNode } from "react";

import { useTexts } from "../i18n/useLanguage";
import { forgetFailures } from "./lazyFile";
import { Page } from "./Page";

interface LoadBoundaryProps {
  readonly children: ReactNode;
  /** The heading, where a whole page is loaded. */
  readonly title?: string;
  /** Give up what could not be shown, such as a dialog above the page; the message then floats above the page. */
  readonly onClose?: () => void;
}

interface LoadBoundaryState {
  readonly hasFailed: boolean;
}

/** Show a message instead of a part of the page that cannot be loaded or drawn, so that the rest stays. */
export class LoadBoundary extends Component<LoadBoundaryProps, LoadBoundaryState> {
  override state: LoadBoundaryState = { hasFailed: false };

  static getDerivedStateFromError(): LoadBoundaryState {
    return { hasFailed: true };
  }

  override componentWillUnmount(): void {
    forgetFailures();
  }

  override render(): ReactNode {
    const { children, title, onClose } = this.props;
    if (!this.state.hasFailed) return children;
    const failure = <LoadFailure {...(onClose && { onClose })} />;
    return title === undefined ? failure : <Page title={title}>{failure}</Page>;
  }
}

/** Say that a part could not be loaded. A reload of the page, at its address, also gets the files of a new version. */
function LoadFailure({ onClose }: Pick<LoadBoundaryProps, "onClose">) {
  const texts = useTexts().common;
  return (
    <Alert
      type="error"
      role="alert"
      showIcon
      className={onClose ? "load-failure load-failure-above" : "load-failure"}
      title={texts.loadFailed}
      closable={onClose ? { onClose, "aria-label": texts.close } : false}
      action={
        <Button
          size="small"
          onClick={() => {
            location.reload();
          }}
        >
          {texts.retry}
        </Button>
      }
    />
  );
}
