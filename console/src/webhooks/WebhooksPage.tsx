import { Button, Card, Empty, Flex, Skeleton, Typography } from "antd";
import { useState } from "react";

import { WebhooksDocument } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { useViewer } from "../app/account";
import { ErrorAlert } from "../components/ErrorAlert";
import { Page } from "../components/Page";
import { Secret } from "../components/Secret";
import * as messages from "../i18n/messages/webhooks";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { CreateWebhook } from "./CreateWebhook";
import { WebhookCard } from "./WebhookCard";

const NO_VARIABLES = {};

/** The URLs to which the account's events are sent. */
export default function WebhooksPage() {
  const texts = useAreaTexts(messages);
  const { pages } = useTexts().common;
  const { canWrite } = useViewer();
  const { data, error, isLoading, reload } = useApiQuery(WebhooksDocument, NO_VARIABLES);
  const [isCreating, setIsCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Page title={pages.webhooks}>
      <Flex justify="space-between" align="center" gap="small" wrap>
        <Typography.Text>{texts.about}</Typography.Text>
        {canWrite && (
          <Button
            type="primary"
            onClick={() => {
              setIsCreating(true);
            }}
          >
            {texts.create}
          </Button>
        )}
      </Flex>
      {secret !== null && <Secret label={texts.secret} hint={texts.once} value={secret} />}
      {error && <ErrorAlert error={error} onRetry={reload} />}
      {!data && isLoading && <Skeleton active />}
      {data?.webhookEndpoints.length === 0 && (
        <Card size="small">
          <Empty description={texts.empty} />
        </Card>
      )}
      {data?.webhookEndpoints.map((endpoint) => (
        <WebhookCard key={endpoint.id} endpoint={endpoint} onSecret={setSecret} />
      ))}
      {isCreating && (
        <CreateWebhook
          onCreated={(created) => {
            setSecret(created);
            setIsCreating(false);
          }}
          onClose={() => {
            setIsCreating(false);
          }}
        />
      )}
    </Page>
  );
}
