import { useEffect, useMemo, useState, type ReactNode } from "react";

import { readLanguage, storeLanguage, LANGUAGE_TAGS, type Language } from "./language";
import { LanguageContext } from "./useLanguage";

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(readLanguage);
  useEffect(() => {
    document.documentElement.lang = LANGUAGE_TAGS[language];
  }, [language]);
  const value = useMemo(
    () => ({
      language,
      setLanguage: (chosen: Language) => {
        storeLanguage(chosen); // first, because requests read it there
        setLanguage(chosen);
      },
    }),
    [language],
  );
  return <LanguageContext value={value}>{children}</LanguageContext>;
}
