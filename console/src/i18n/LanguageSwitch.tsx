import { Button } from "antd";

import { LANGUAGE_TAGS, type Language } from "./language";
import { useLanguage } from "./useLanguage";

const OTHER: Readonly<Record<Language, { readonly language: Language; readonly name: string }>> = {
  zh: { language: "en", name: "English" },
  en: { language: "zh", name: "中文" },
};

/** A button with the name of the other language, which shows the page in it. */
export function LanguageSwitch() {
  const { language: current, setLanguage } = useLanguage();
  const { language, name } = OTHER[current];
  return (
    <Button
      size="small"
      type="text"
      lang={LANGUAGE_TAGS[language]}
      onClick={() => {
        setLanguage(language);
      }}
    >
      {name}
    </Button>
  );
}
