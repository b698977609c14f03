import { useCallback } from "react";

import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

/**
 * Return a function that says why an instance cannot take part in a batch, or null if it can.
 *
 * A member of a bundle never can. Any other instance can if one of its actions is allowed; else the server says why not.
 * One without expiry can be given tags.
 */
export function useBatchRefusal(): (row: InstanceRow) => string | null {
  const texts = useTexts().list;
  return useCallback(
    ({ bundle, actions, expiresAt }) => {
      if (bundle) return texts.bundledReason;
      if (expiresAt === null || actions.some(({ allowed }) => allowed)) return null;
      return actions.find(({ refusal }) => refusal)?.refusal?.message ?? texts.refused;
    },
    [texts],
  );
}
