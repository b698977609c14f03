import type { Language } from "./language";
import { useLanguage } from "./useLanguage";

/** Return the texts of an area that is loaded when it is opened: `import * as orders from "../i18n/messages/orders"`. */
export function useAreaTexts<Texts>(area: Readonly<Record<Language, Texts>>): Texts {
  return area[useLanguage().language];
}
