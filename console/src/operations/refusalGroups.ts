import type { RefusalCode, RefusalRowFragment } from "../api/generated/graphql";

export interface RefusalGroup {
  readonly code: RefusalCode;
  readonly refusals: readonly RefusalRowFragment[];
}

/** Return refusals by their reason, the most frequent first. */
export function groupRefusals(refusals: readonly RefusalRowFragment[]): readonly RefusalGroup[] {
  const groups = new Map<RefusalCode, RefusalRowFragment[]>();
  for (const refusal of refusals) groups.set(refusal.code, [...(groups.get(refusal.code) ?? []), refusal]);
  return [...groups]
    .map(([code, members]) => ({ code, refusals: members }))
    .sort((one, other) => other.refusals.length - one.refusals.length);
}
