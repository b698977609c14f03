import { Flex, Spin } from "antd";
import type { ReactNode } from "react";

import { AccountDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { ErrorAlert } from "../components/ErrorAlert";
import { useTexts } from "../i18n/useLanguage";
import { AccountContext } from "./account";

const NO_VARIABLES = {};

/** Load the account, which every page needs: its currency, its time zone and its money. */
export function AccountProvider({ children }: { readonly children: ReactNode }) {
  const texts = useTexts().common;
  const { data, error, reload } = useApiQuery(AccountDocument, NO_VARIABLES);
  if (data) return <AccountContext value={data.account}>{children}</AccountContext>;
  return (
    <Flex component="main" justify="center" className="waiting">
      {error ? <ErrorAlert error={error} onRetry={reload} /> : <Spin description={texts.loading} size="large" />}
    </Flex>
  );
}
