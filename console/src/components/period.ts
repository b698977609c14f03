import { addDays, startOfDay } from "../format/calendar";
import type { Day } from "../format/time";

/** Days from and to, both inclusive; null is open. */
export interface Period {
  readonly from: Day | null;
  readonly to: Day | null;
}

/** Return the period in an address. What is not a day counts as absent. */
export function readPeriod(params: URLSearchParams): Period {
  return { from: parseDay(params.get("from")), to: parseDay(params.get("to")) };
}

/** Return the instants of a period in a time zone: the first one, and the one after the last. */
export function instantsOf({ from, to }: Period, timeZone: string): { from?: string; before?: string } {
  return {
    ...(from !== null && { from: startOfDay(from, timeZone) }),
    ...(to !== null && { before: startOfDay(addDays(to, 1), timeZone) }),
  };
}

/** Return a day as written in an address, or null. */
export function parseDay(text: string | null): Day | null {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : null;
}

/** Return the values in an address that are allowed. */
export function readChoices<Value extends string>(
  params: URLSearchParams,
  name: string,
  allowed: readonly Value[],
): Value[] {
  return allowed.filter((value) => params.getAll(name).includes(value));
}
