import { Alert } from "antd";

import { useTexts } from "../i18n/useLanguage";

/** Say that an operation is done for a whole bundle, and why. */
export function BundleScope({ name }: { readonly name: string | null }) {
  const texts = useTexts().operations;
  return name === null ? null : <Alert type="info" showIcon title={texts.bundleScope(name)} />;
}
