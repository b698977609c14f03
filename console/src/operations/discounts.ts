import type { DiscountsQuery } from "../api/generated/graphql";

type Tier = DiscountsQuery["products"][number]["discountTiers"][number];

/** The discounts of several products for a number of months, in percent. */
export interface DiscountRange {
  readonly least: number;
  readonly most: number;
}

/** Return the discount for a number of months: that of the longest tier that is not longer (rule 12). */
export function discountOf(tiers: readonly Tier[], months: number): number {
  const reached = tiers.filter((tier) => tier.months <= months);
  const longest = reached.reduce<Tier | null>(
    (best, tier) => (best === null || tier.months > best.months ? tier : best),
    null,
  );
  return longest === null ? 0 : Number(longest.discountPercent);
}

/** Return the discounts of the selected products, or null if none of them has one. */
export function rangeOfDiscounts(
  products: DiscountsQuery["products"],
  codes: ReadonlySet<string>,
  months: number,
): DiscountRange | null {
  const discounts = products
    .filter(({ code }) => codes.has(code))
    .map(({ discountTiers }) => discountOf(discountTiers, months));
  const most = Math.max(0, ...discounts);
  return most === 0 ? null : { least: Math.min(...discounts), most };
}
