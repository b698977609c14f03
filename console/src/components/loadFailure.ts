import type { Messages } from "../i18n/messages";
import { FileLoadError } from "./lazyFile";

/** Return the sentence for a part that failed: only a file that could not be loaded is a matter of the network. */
export function failureTextOf(error: unknown, texts: Messages["common"]): string {
  return error instanceof FileLoadError ? texts.loadFailed : texts.drawFailed;
}
