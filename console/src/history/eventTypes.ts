export const EVENT_TYPES = [
  "instance.renewed",
  "instance.renewal_failed",
  "instance.expiring",
  "instance.expired",
  "instance.restored",
  "instance.released",
  "instance.refunded",
  "instance.price_held",
  "policy.changed",
  "expiry.unified",
  "account.shortfall",
] as const;

/** The types that the console has a name for; others are shown as they are. */
export type EventType = (typeof EVENT_TYPES)[number];

export function isEventType(type: string): type is EventType {
  return EVENT_TYPES.some((known) => known === type);
}
