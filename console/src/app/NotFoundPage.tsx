import { Empty } from "antd";
import { Link } from "wouter";

import { useTexts } from "../i18n/useLanguage";

export function NotFoundPage() {
  const texts = useTexts().common;
  return (
    <Empty description={texts.notFound}>
      <Link href="/">{texts.backToList}</Link>
    </Empty>
  );
}
