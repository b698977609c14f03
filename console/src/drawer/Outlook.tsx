import { Alert } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { InstanceDetail } from "./InstanceDrawer";

/** Whether the worker will renew the instance: when and for how much, or why not. */
export function Outlook({ instance }: { readonly instance: InstanceDetail }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { willRenew, dueAt, price, refusals } = instance.outlook;
  if (willRenew && dueAt !== null) {
    const title = texts.willRenew(format.instant(dueAt), price === null ? "" : format.money(price));
    return <Alert type="success" showIcon title={title} />;
  }
  const reasons = [...new Set(refusals.map(({ message }) => message))];
  return (
    <Alert
      type={instance.renewalMode === "AUTO" ? "warning" : "info"}
      showIcon
      title={dueAt === null ? texts.willNotRenew : texts.willFail(format.instant(dueAt))}
      description={
        reasons.length > 0
          ? reasons.map((reason) => <div key={reason}>{reason}</div>)
          : instance.renewalMode !== "AUTO" && texts.notAuto
      }
    />
  );
}
