import { useCallback, useMemo } from "react";

import { CatalogDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { useLanguage } from "../i18n/useLanguage";

interface Named {
  readonly name: string;
  readonly nameZh: string;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

const NO_VARIABLES = {};

/** Return the name of a row of the catalog in the language of the page. */
export function useCatalogName(): (row: Named) => string {
  const { language } = useLanguage();
  return useCallback((row) => (language === "zh" ? row.nameZh : row.name), [language]);
}

/** Return the products that can be renewed, as choices. */
export function useProductChoices(): readonly Choice[] {
  const { data } = useApiQuery(CatalogDocument, NO_VARIABLES);
  const nameOf = useCatalogName();
  return useMemo(
    () =>
      (data?.products ?? [])
        .filter(({ renewable }) => renewable)
        .map((product) => ({ value: product.code, label: nameOf(product) })),
    [data, nameOf],
  );
}

/** Return the types of data centers, as choices. */
export function useDataCenterTypeChoices(): readonly Choice[] {
  const { data } = useApiQuery(CatalogDocument, NO_VARIABLES);
  const nameOf = useCatalogName();
  return useMemo(
    () => (data?.dataCenterTypes ?? []).map((type) => ({ value: type.code, label: nameOf(type) })),
    [data, nameOf],
  );
}

/** Return a function that names a product by its code. */
export function useProductNames(): (code: string) => string {
  const choices = useProductChoices();
  return useCallback((code) => choices.find(({ value }) => value === code)?.label ?? code, [choices]);
}
