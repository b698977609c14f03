import { useCallback, useEffect, useRef, useState } from "react";

import { bearer } from "../api/client";
import { useSession, useSessionSetup } from "../session/useSession";
import { download, DownloadError, type DownloadFailure } from "./download";
import { saveFile } from "./saveFile";

export type DownloadState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly bytes: number }
  | { readonly kind: "done"; readonly fileName: string; readonly bytes: number }
  | { readonly kind: "failed"; readonly failure: DownloadFailure };

interface Downloading {
  readonly state: DownloadState;
  readonly start: (url: string) => void;
  readonly cancel: () => void;
}

const IDLE: DownloadState = { kind: "idle" };

/** Download a file as the signed-in customer; only one at a time. */
export function useDownload(): Downloading {
  const session = useSession();
  const { store } = useSessionSetup();
  const [state, setState] = useState<DownloadState>(IDLE);
  const running = useRef<AbortController | null>(null);
  const cancel = useCallback(() => {
    running.current?.abort();
    running.current = null;
    setState(IDLE);
  }, []);
  useEffect(() => () => running.current?.abort(), []);
  const start = useCallback(
    (url: string) => {
      if (running.current || session.token === null) return;
      const controller = new AbortController();
      running.current = controller;
      setState({ kind: "running", bytes: 0 });
      const onProgress = (bytes: number) => {
        setState({ kind: "running", bytes });
      };
      download({ url, headers: bearer(session.token), signal: controller.signal, onProgress })
        .then(({ blob, fileName }) => {
          saveFile(blob, fileName);
          setState({ kind: "done", fileName, bytes: blob.size });
        })
        .catch((error: unknown) => {
          if (controller.signal.aborted) return;
          if (!(error instanceof DownloadError)) throw error;
          if (error.failure.kind === "unauthenticated") store.signOut("expired");
          setState({ kind: "failed", failure: error.failure });
        })
        .finally(() => {
          if (running.current === controller) running.current = null;
        });
    },
    [session, store],
  );
  return { state, start, cancel };
}
