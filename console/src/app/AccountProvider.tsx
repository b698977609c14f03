import { Flex, Spin } from "antd";
import { useContext, type ReactNode } from "react";

import { AccountDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { ErrorAlert } from "../components/ErrorAlert";
import { LabelContext } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { ViewerContext } from "./account";

const NO_VARIABLES = {};

/** Load the account, which every page needs, and what its caller may do; the pages also wait for the labels. */
export function AccountProvider({ children }: { readonly children: ReactNode }) {
  const texts = useTexts().common;
  const { data, error, reload } = useApiQuery(AccountDocument, NO_VARIABLES);
  const hasLabels = useContext(LabelContext) !== null;
  if (data && hasLabels) return <ViewerContext value={data.viewer}>{children}</ViewerContext>;
  return (
    <Flex component="main" justify="center" className="waiting">
      {error ? (
        <ErrorAlert error={error} onRetry={reload} />
      ) : (
        <Spin description={texts.loading} size="large" />
      )}
    </Flex>
  );
}
