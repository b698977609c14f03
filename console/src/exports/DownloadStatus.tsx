import { Alert } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/exports";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { DownloadFailure } from "./download";
import type { DownloadState } from "./useDownload";

const KILOBYTE = 1_000;

/** How far the download is, or how it ended. */
export function DownloadStatus({ state }: { readonly state: DownloadState }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const size = (bytes: number) => format.count(Math.ceil(bytes / KILOBYTE));
  switch (state.kind) {
    case "idle":
      return null;
    case "running":
      return <span aria-live="polite">{texts.received(size(state.bytes))}</span>;
    case "done":
      return (
        <Alert type="success" role="status" showIcon title={texts.done(state.fileName, size(state.bytes))} />
      );
    case "failed":
      return <Alert type="error" role="alert" showIcon title={reasonOf(state.failure, texts.failures)} />;
  }
}

function reasonOf(failure: DownloadFailure, texts: (typeof messages.zh)["failures"]): string {
  return failure.kind === "refused" ? texts.refused(failure.message) : texts[failure.kind];
}
