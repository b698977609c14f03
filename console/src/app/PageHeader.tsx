import { Button, Flex, Layout, Typography } from "antd";

import { LanguageSwitch } from "../i18n/LanguageSwitch";
import { useTexts } from "../i18n/useLanguage";
import { useSessionSetup } from "../session/useSession";
import { useAccount } from "./account";

export function PageHeader() {
  const texts = useTexts().common;
  const account = useAccount();
  const { store } = useSessionSetup();
  return (
    <Layout.Header className="page-header">
      <a href="#content" className="skip-link">
        {texts.skipToContent}
      </a>
      <Flex className="page-header-row" justify="space-between" align="center" gap="middle">
        <Typography.Text strong className="brand">
          {texts.product}
        </Typography.Text>
        <Flex align="center" gap="middle">
          <Typography.Text ellipsis className="account-name">
            {account.name}
          </Typography.Text>
          <LanguageSwitch />
          <Button
            size="small"
            type="text"
            onClick={() => {
              store.signOut("signedOut");
            }}
          >
            {texts.signOut}
          </Button>
        </Flex>
      </Flex>
    </Layout.Header>
  );
}
