import type { UnifyTarget } from "../api/generated/graphql";
import type { Day } from "../format/time";

/** What is chosen in the dialog; the other one is kept for when the customer goes back to it. */
export interface TargetChoice {
  readonly kind: "date" | "dayOfMonth";
  readonly date: Day | null;
  readonly dayOfMonth: number;
}

export const DAYS_OF_MONTH: readonly number[] = Array.from({ length: 31 }, (_, index) => index + 1);

export const INITIAL_TARGET: TargetChoice = { kind: "dayOfMonth", date: null, dayOfMonth: 1 };

/** Return the API's target, or null while no date is chosen. */
export function toUnifyTarget({ kind, date, dayOfMonth }: TargetChoice): UnifyTarget | null {
  if (kind === "dayOfMonth") return { dayOfMonth };
  return date === null ? null : { date };
}
