import { dayOf, formatInstant, type Day } from "./time";

const DAY_MS = 86_400_000;

/** Return the day some days later. */
export function addDays(day: Day, count: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Return the day some months later: the last of that month if it has no such day. */
export function addMonths(day: Day, count: number): Day {
  const [year = 0, month = 1, dayOfMonth = 1] = day.split("-").map(Number);
  const lastDay = new Date(Date.UTC(year, month + count, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + count, Math.min(dayOfMonth, lastDay)))
    .toISOString()
    .slice(0, 10);
}

/** Return the instant of a local time HH:MM:SS, in ISO 8601. A time that a clock change skips is moved by the skip. */
export function instantOf(day: Day, time: string, timeZone: string): string {
  const asUtc = Date.parse(`${day}T${time}Z`);
  let instant = asUtc;
  // The offset at the first guess may be that of the other side of a clock change.
  for (let round = 0; round < 2; round += 1) instant = asUtc - offsetAt(instant, timeZone);
  return new Date(instant).toISOString();
}

/** Return the first instant of a day, in ISO 8601. */
export function startOfDay(day: Day, timeZone: string): string {
  return instantOf(day, "00:00:00", timeZone);
}

/** Return the local time of an instant as HH:MM:SS. */
export function timeOf(instant: string, timeZone: string): string {
  return formatInstant(instant, timeZone).slice(11);
}

/** Return today for an account: the day of its test clock, or of now. */
export function todayOf(account: { readonly testClock: string | null; readonly timeZone: string }): Day {
  return dayOf(account.testClock ?? new Date(), account.timeZone);
}

function offsetAt(instant: number, timeZone: string): number {
  const local = formatInstant(new Date(instant), timeZone).replace(" ", "T");
  return Date.parse(`${local}Z`) - Math.floor(instant / 1_000) * 1_000;
}
