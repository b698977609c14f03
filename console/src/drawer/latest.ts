/** The number of the latest attempts and orders that the drawer shows. */
export const LATEST_SHOWN = 20;
/** One more than is shown is asked for, so that the page learns whether there are more. */
export const LATEST_ASKED = LATEST_SHOWN + 1;

/** Return what a list shows of the answer, and whether it leaves some out. */
export function takeLatest<Item>(items: readonly Item[]): { shown: readonly Item[]; isCut: boolean } {
  return { shown: items.slice(0, LATEST_SHOWN), isCut: items.length > LATEST_SHOWN };
}
