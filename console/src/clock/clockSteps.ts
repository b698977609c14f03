import { addDays, addMonths, instantOf, timeOf } from "../format/calendar";
import { dayOf, type Day } from "../format/time";

export type ClockStep = "day" | "week" | "month";

export const CLOCK_STEPS: readonly ClockStep[] = ["day", "week", "month"];
/** The furthest that one move goes (rule 37). */
export const MOVE_MONTHS_MAX = 24;

/** Return the instant one step later, at the same local time. */
export function stepClock(clock: string, timeZone: string, step: ClockStep): string {
  const day = dayOf(clock, timeZone);
  const days: Record<ClockStep, Day> = {
    day: addDays(day, 1),
    week: addDays(day, 7),
    month: addMonths(day, 1),
  };
  return onDay(clock, timeZone, days[step]);
}

/** Return the instant of the clock's local time on a day. */
export function onDay(clock: string, timeZone: string, day: Day): string {
  return instantOf(day, timeOf(clock, timeZone), timeZone);
}

/** Return whether the clock can be moved to a day: it only goes forward. */
export function isReachable(clock: string, timeZone: string, day: Day): boolean {
  const today = dayOf(clock, timeZone);
  return day > today && day <= addMonths(today, MOVE_MONTHS_MAX);
}

/** Return how far a move has come, in whole percent. */
export function progressOf(from: string, to: string, clock: string): number {
  const [start, end, reached] = [from, to, clock].map(Date.parse) as [number, number, number];
  return Math.max(0, Math.min(100, Math.floor((100 * (reached - start)) / (end - start))));
}
