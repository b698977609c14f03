import { Drawer, Empty, Flex, Skeleton } from "antd";
import { useMemo } from "react";

import {
  InstanceDetailDocument,
  InstanceHistoryDocument,
  type InstanceDetailFragment,
} from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import { ErrorAlert } from "../components/ErrorAlert";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { AttemptList } from "./AttemptList";
import { BundleMembers } from "./BundleMembers";
import { HistoryList } from "./HistoryList";
import { InstanceFacts } from "./InstanceFacts";
import { LATEST_ASKED } from "./latest";
import { OrderList } from "./OrderList";
import { Outlook } from "./Outlook";
import { Section } from "./Section";

export type InstanceDetail = InstanceDetailFragment;

interface InstanceDrawerProps {
  readonly id: string;
  readonly onClose: () => void;
}

/** All about one instance, beside the page from which it was opened. */
export default function InstanceDrawer({ id, onClose }: InstanceDrawerProps) {
  const texts = useAreaTexts(messages);
  const variables = useMemo(() => ({ id, latest: LATEST_ASKED }), [id]);
  const { data, error, isLoading, reload } = useApiQuery(InstanceDetailDocument, variables);
  const instance = data?.instance?.id === id ? data.instance : null;
  return (
    <Drawer open title={texts.title} size="min(680px, 100vw)" onClose={onClose} destroyOnHidden>
      {error && <ErrorAlert error={error} onRetry={reload} />}
      {instance ? (
        <Details instance={instance} />
      ) : isLoading ? (
        <Skeleton active />
      ) : (
        !error && <Empty description={texts.notFound(id)} />
      )}
    </Drawer>
  );
}

function Details({ instance }: { readonly instance: InstanceDetail }) {
  const texts = useAreaTexts(messages);
  return (
    <Flex vertical gap="large">
      <InstanceFacts instance={instance} />
      <Section title={texts.outlook}>
        <Outlook instance={instance} />
      </Section>
      {instance.bundle && (
        <Section title={texts.bundle(instance.bundle.name)}>
          <BundleMembers bundle={instance.bundle} ownId={instance.id} />
        </Section>
      )}
      <Section title={texts.attempts}>
        <AttemptList attempts={instance.attempts} />
      </Section>
      <Section title={texts.orders}>
        <OrderList instanceId={instance.id} orders={instance.orders} />
      </Section>
      <Section title={texts.history}>
        <History id={instance.id} />
      </Section>
    </Flex>
  );
}

function History({ id }: { readonly id: string }) {
  const variables = useMemo(() => ({ id }), [id]);
  const { data, error, reload } = useApiQuery(InstanceHistoryDocument, variables);
  if (error) return <ErrorAlert error={error} onRetry={reload} />;
  return data ? <HistoryList id={id} history={data.eventHistory} /> : <Skeleton active />;
}
