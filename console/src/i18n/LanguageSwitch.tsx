import { Segmented } from "antd";

import type { Language } from "./language";
import { useLanguage, useTexts } from "./useLanguage";

const OPTIONS: { label: string; value: Language }[] = [
  { label: "中文", value: "zh" },
  { label: "English", value: "en" },
];

export function LanguageSwitch() {
  const { language, setLanguage } = useLanguage();
  const texts = useTexts();
  return (
    <Segmented<Language>
      aria-label={texts.common.language}
      size="small"
      options={OPTIONS}
      value={language}
      onChange={setLanguage}
    />
  );
}
