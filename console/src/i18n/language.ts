export type Language = "zh" | "en";

const STORED = "renewals.language";

/** Value of Accept-Language, and of the attribute `lang`. */
export const LANGUAGE_TAGS: Readonly<Record<Language, string>> = { zh: "zh-CN", en: "en" };

/** Return the language that was chosen here before, or else the browser's; Chinese if it is neither. */
export function findLanguage(stored: string | null, preferred: readonly string[]): Language {
  if (stored === "zh" || stored === "en") return stored;
  for (const tag of preferred) {
    if (tag.startsWith("zh")) return "zh";
    if (tag.startsWith("en")) return "en";
  }
  return "zh";
}

export function readLanguage(): Language {
  return findLanguage(localStorage.getItem(STORED), navigator.languages);
}

export function storeLanguage(language: Language): void {
  localStorage.setItem(STORED, language);
}
