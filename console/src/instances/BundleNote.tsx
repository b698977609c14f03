import { Alert } from "antd";

import { useTexts } from "../i18n/useLanguage";

export function BundleNote() {
  return <Alert type="info" showIcon title={useTexts().list.bundleNote} />;
}
