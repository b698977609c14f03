import { Descriptions, Flex, Typography } from "antd";
import type { ReactNode } from "react";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import { useTexts } from "../i18n/useLanguage";
import { useCatalogName } from "../instances/useCatalog";
import { InstanceTags } from "../tags/InstanceTags";
import type { InstanceDetail } from "./InstanceDrawer";

/** What the instance is: its properties, its configuration and its tags. */
export function InstanceFacts({ instance }: { readonly instance: InstanceDetail }) {
  const { list } = useTexts();
  const labelOf = useLabel();
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const nameOf = useCatalogName();
  const { expiresAt, releasesAt, agreedPrice, renewalMode, configuration, tags, dataCenter } = instance;
  const instant = (value: string | null) => (value === null ? list.noExpiry : format.instant(value));
  const isNamed = configuration.some(({ value }) => value === dataCenter.name);
  const mode = labelOf("RenewalMode", renewalMode);
  const facts: [string, ReactNode][] = [
    [
      list.columns.id,
      <Typography.Text key="id" copyable>
        {instance.id}
      </Typography.Text>,
    ],
    [texts.name, instance.name],
    [list.columns.product, nameOf(instance.product)],
    ...(isNamed ? [] : [[list.dataCenter, dataCenter.name] as [string, string]]),
    [list.columns.billing, labelOf("BillingMode", instance.billingMode)],
    [list.columns.status, labelOf("InstanceStatus", instance.status)],
    [list.tabs, renewalMode === "AUTO" ? texts.autoMonths(mode, instance.autoRenewMonths) : mode],
    [list.columns.expiry, instant(expiresAt)],
    ...(releasesAt === null ? [] : [[texts.releasesAt, format.instant(releasesAt)] as [string, string]]),
    [texts.monthlyPrice, format.money(instance.monthlyPrice)],
    ...(agreedPrice === null ? [] : [[texts.agreedPrice, format.money(agreedPrice)] as [string, string]]),
    [texts.createdAt, format.instant(instance.createdAt)],
    ...configuration.map(({ label, value }): [string, string] => [label, value]),
  ];
  return (
    <Flex vertical gap="small">
      <Descriptions
        size="small"
        bordered
        column={{ xs: 1, md: 2 }}
        items={facts.map(([label, children]) => ({
          key: label,
          label,
          children,
          ...(label === list.columns.id && { span: 2 }),
        }))}
      />
      <InstanceTags instanceId={instance.id} tags={tags} isFixed={instance.status === "RELEASED"} />
    </Flex>
  );
}
