import { Grid } from "antd";

/** Return whether the window is narrower than 768 px: tables have fewer columns then. */
export function useIsNarrow(): boolean {
  return !(Grid.useBreakpoint().md ?? true);
}
