import { Alert, Button, Card, Divider, Flex, Form, Input, Typography } from "antd";

import { LanguageSwitch } from "../i18n/LanguageSwitch";
import { useTexts } from "../i18n/useLanguage";
import type { SignOutReason } from "./session";
import { useSessionSetup } from "./useSession";

/** Ask for an API key, or lead to the OpenID provider. */
export default function SignIn({ reason }: { readonly reason: SignOutReason | null }) {
  const texts = useTexts().signIn;
  const { config, store } = useSessionSetup();
  return (
    <Flex component="main" justify="center" className="sign-in">
      <Card className="sign-in-card">
        <Flex vertical gap="middle">
          <Flex justify="space-between" align="center">
            <Typography.Title level={1} className="page-title">
              {texts.title}
            </Typography.Title>
            <LanguageSwitch />
          </Flex>
          {reason && (
            <Alert
              type={reason === "signedOut" ? "info" : "warning"}
              title={texts.reasons[reason]}
              showIcon
            />
          )}
          <Form
            layout="vertical"
            requiredMark={false}
            initialValues={{ key: config.key ?? "" }}
            onFinish={({ key }: { key: string }) => {
              store.signIn(key.trim());
            }}
          >
            <Form.Item
              name="key"
              label={texts.key}
              extra={texts.keyHint}
              rules={[{ required: true, whitespace: true, message: texts.keyRequired }]}
            >
              <Input.Password autoComplete="off" autoFocus />
            </Form.Item>
            <Button type="primary" htmlType="submit" block>
              {texts.submit}
            </Button>
          </Form>
          <ProviderSignIn />
        </Flex>
      </Card>
    </Flex>
  );
}

function ProviderSignIn() {
  const texts = useTexts().signIn;
  const { config, store } = useSessionSetup();
  const { issuer, clientId } = config;
  if (!issuer || !clientId) return null;
  const redirect = async () => {
    const oidc = await import("./oidc");
    await oidc.redirectToProvider(issuer, clientId);
  };
  return (
    <>
      <Divider plain>{texts.or}</Divider>
      <Button
        block
        onClick={() => {
          redirect().catch(() => {
            store.signOut("failed");
          });
        }}
      >
        {texts.withProvider}
      </Button>
    </>
  );
}
