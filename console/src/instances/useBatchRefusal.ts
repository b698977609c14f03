import { useCallback } from "react";

import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

/** Return a function that says why an instance cannot take part in a batch, or null if it can. */
export function useBatchRefusal(): (row: InstanceRow) => string | null {
  const texts = useTexts().list;
  return useCallback(
    (row) => {
      if (row.bundle) return texts.bundledReason;
      return row.expiresAt === null ? texts.notRenewableReason : null;
    },
    [texts],
  );
}
