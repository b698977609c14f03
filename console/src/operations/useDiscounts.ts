import { useCallback, useMemo } from "react";

import { DiscountsDocument, type InstanceFilter, type PaymentQuoteFragment } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { rangeOfDiscounts, type DiscountRange } from "./discounts";
import type { OperationTarget } from "./operations";

/** Return a function that gives the discounts of the selected instances' products for a number of months. */
export function useDiscounts(
  { selection, bundleName }: OperationTarget,
  quote: PaymentQuoteFragment | undefined,
): (months: number) => DiscountRange | null {
  const filter: InstanceFilter = "ids" in selection ? selection : selection.matching.filter;
  const variables = useMemo(() => ({ filter }), [filter]);
  const { data } = useApiQuery(DiscountsDocument, variables);
  const lines = quote?.lines;
  const codes = useMemo(() => {
    // The selection names one member of a bundle; its quote has them all.
    if (bundleName !== null) return new Set(lines?.map(({ instance }) => instance.product.code));
    return new Set(data?.instances.facets.products.map(({ value }) => value));
  }, [bundleName, lines, data]);
  return useCallback((months) => rangeOfDiscounts(data?.products ?? [], codes, months), [data, codes]);
}
