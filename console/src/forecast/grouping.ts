import type { ForecastGrouping } from "../api/generated/graphql";
import { readChoices } from "../components/period";

/** How the table shows the forecast: by day, or by a property of the instances. */
export type Grouping = "DAY" | ForecastGrouping;

export const GROUPINGS: readonly Grouping[] = ["DAY", "PRODUCT", "DATA_CENTER", "TAG"];

/** Return the grouping in an address. */
export function readGrouping(params: URLSearchParams): { by: Grouping; tagKey: string } {
  return { by: readChoices(params, "by", GROUPINGS)[0] ?? "DAY", tagKey: params.get("tag") ?? "" };
}
