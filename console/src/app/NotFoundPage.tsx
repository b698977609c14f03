import { Result } from "antd";
import { Link } from "wouter";

import { useTexts } from "../i18n/useLanguage";

export function NotFoundPage() {
  const texts = useTexts().common;
  return <Result status="404" title={texts.notFound} extra={<Link href="/">{texts.backToList}</Link>} />;
}
