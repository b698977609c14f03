import { Alert, Button } from "antd";
import { Component, type ReactNode } from "react";

import { useTexts } from "../i18n/useLanguage";
import { forgetFailures } from "./lazyFile";
import { failureTextOf } from "./loadFailure";
import { Page } from "./Page";

interface LoadBoundaryProps {
  readonly children: ReactNode;
  /** The heading, where a whole page is loaded. */
  readonly title?: string;
  /** Give up what could not be shown, such as a dialog above the page; the message then floats above the page. */
  readonly onClose?: () => void;
  /** Called when the part has failed, so that another one can take its place while the message is shown. */
  readonly onFailure?: () => void;
  /** What the part shows, such as an id; the part is tried anew when this changes. */
  readonly of?: string | number;
}

interface LoadBoundaryState {
  readonly failure: { readonly error: unknown } | null;
}

/** Show a message instead of a part of the page that cannot be loaded or drawn, so that the rest stays. */
export class LoadBoundary extends Component<LoadBoundaryProps, LoadBoundaryState> {
  override state: LoadBoundaryState = { failure: null };

  static getDerivedStateFromError(error: unknown): LoadBoundaryState {
    return { failure: { error } };
  }

  override componentDidCatch(): void {
    this.props.onFailure?.();
  }

  override componentDidUpdate(before: LoadBoundaryProps): void {
    if (before.of === this.props.of || !this.state.failure) return;
    forgetFailures();
    this.setState({ failure: null });
  }

  override componentWillUnmount(): void {
    forgetFailures();
  }

  override render(): ReactNode {
    const { children, title, onClose } = this.props;
    if (!this.state.failure) return children;
    const message = <LoadFailure error={this.state.failure.error} {...(onClose && { onClose })} />;
    return title === undefined ? message : <Page title={title}>{message}</Page>;
  }
}

interface LoadFailureProps extends Pick<LoadBoundaryProps, "onClose"> {
  readonly error: unknown;
}

/** Say what failed. A reload of the page, at its address, also gets the files of a new version. */
function LoadFailure({ error, onClose }: LoadFailureProps) {
  const texts = useTexts().common;
  return (
    <Alert
      type="error"
      role="alert"
      showIcon
      className={onClose ? "load-failure load-failure-above" : "load-failure"}
      title={failureTextOf(error, texts)}
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
