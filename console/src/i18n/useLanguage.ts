import { createContext, useContext } from "react";

import type { Language } from "./language";
import { MESSAGES, type Messages } from "./messages";

interface LanguageState {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
}

export const LanguageContext = createContext<LanguageState | null>(null);

export function useLanguage(): LanguageState {
  const state = useContext(LanguageContext);
  if (!state) throw new Error("useLanguage needs a LanguageProvider around the component");
  return state;
}

/** Return the texts in the language of the page. */
export function useTexts(): Messages {
  return MESSAGES[useLanguage().language];
}
