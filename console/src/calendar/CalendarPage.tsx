import { Alert, Button, Card, Flex, Popconfirm, Typography } from "antd";
import type { CombinedError } from "@urql/core";
import { useState } from "react";

import { ResetCalendarTokenDocument } from "../api/generated/graphql";
import { useApiMutation } from "../api/useApiMutation";
import { useViewer } from "../app/account";
import { ErrorAlert } from "../components/ErrorAlert";
import { Page } from "../components/Page";
import { Secret } from "../components/Secret";
import * as messages from "../i18n/messages/calendar";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";

const NO_VARIABLES = {};

/** The calendar to subscribe to: its secret address is made here and shown once. */
export default function CalendarPage() {
  const texts = useAreaTexts(messages);
  const { common } = useTexts();
  const { canWrite } = useViewer();
  const { run, isRunning } = useApiMutation(ResetCalendarTokenDocument);
  const [url, setUrl] = useState<string | null>(null);
  const [error, setError] = useState<CombinedError | null>(null);
  const reset = async () => {
    const { data, error: failure } = await run(NO_VARIABLES);
    setError(failure ?? null);
    if (data) setUrl(location.origin + data.resetCalendarToken.path);
  };
  return (
    <Page title={common.pages.calendar}>
      <Card size="small">
        <Flex vertical gap="middle" align="start">
          <Typography.Text>{texts.about}</Typography.Text>
          {canWrite ? (
            <Popconfirm
              title={texts.confirm}
              description={texts.replaces}
              okText={texts.make}
              onConfirm={() => void reset()}
            >
              <Button type="primary" loading={isRunning}>
                {texts.make}
              </Button>
            </Popconfirm>
          ) : (
            <Alert type="info" showIcon title={common.errors.forbidden} />
          )}
          {error && <ErrorAlert error={error} onRetry={() => void reset()} />}
          {url !== null && <Secret label={texts.url} hint={texts.once} value={url} />}
        </Flex>
      </Card>
    </Page>
  );
}
