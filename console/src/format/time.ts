/** A calendar day as YYYY-MM-DD, in the account's time zone. */
export type Day = string;

const PARTS: Intl.DateTimeFormatOptions = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
};

function partsOf(instant: string | Date, timeZone: string): Readonly<Partial<Record<string, string>>> {
  const format = new Intl.DateTimeFormat("en-US", { ...PARTS, timeZone });
  return Object.fromEntries(format.formatToParts(new Date(instant)).map(({ type, value }) => [type, value]));
}

/** Return the day of an instant in a time zone. */
export function dayOf(instant: string | Date, timeZone: string): Day {
  const { year, month, day } = partsOf(instant, timeZone);
  return `${year ?? ""}-${month ?? ""}-${day ?? ""}`;
}

/** Return an instant as YYYY-MM-DD HH:MM:SS in a time zone. */
export function formatInstant(instant: string | Date, timeZone: string): string {
  const { hour, minute, second } = partsOf(instant, timeZone);
  return `${dayOf(instant, timeZone)} ${hour ?? ""}:${minute ?? ""}:${second ?? ""}`;
}
