import { useEffect, useMemo, useRef, type ReactNode } from "react";
import { useQuery } from "urql";

import { LabelsDocument } from "../api/generated/graphql";
import { LabelContext, type LabelOf } from "./useLabel";
import { useLanguage } from "./useLanguage";

/** Ask for the API's words for its enums, once for each language. A value stands for itself if they cannot be had. */
export function LabelProvider({ children }: { readonly children: ReactNode }) {
  const { language } = useLanguage();
  const [{ data, error }, execute] = useQuery({ query: LabelsDocument });
  const asked = useRef(language);
  useEffect(() => {
    if (asked.current === language) return;
    asked.current = language;
    execute({ requestPolicy: "network-only" });
  }, [language, execute]);
  const labelOf = useMemo<LabelOf | null>(() => {
    if (!data && !error) return null;
    const labels = new Map(data?.labels.map(({ enum: name, value, label }) => [`${name}.${value}`, label]));
    return (name, value) => labels.get(`${name}.${value}`) ?? value;
  }, [data, error]);
  return <LabelContext value={labelOf}>{children}</LabelContext>;
}
