/** The durations that the dialog offers, in months. */
export const DURATIONS: readonly number[] = [1, 2, 3, 6, 12, 24, 36];

/** Return the durations that the API allows. */
export function listDurations(monthsMax: number): readonly number[] {
  return DURATIONS.filter((months) => months <= monthsMax);
}
