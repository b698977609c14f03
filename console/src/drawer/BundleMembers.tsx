import { Flex, Tag, Typography } from "antd";

import { InstanceLink } from "../components/InstanceLink";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/drawer";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useLabel } from "../i18n/useLabel";
import type { InstanceDetail } from "./InstanceDrawer";

interface BundleMembersProps {
  readonly bundle: NonNullable<InstanceDetail["bundle"]>;
  readonly ownId: string;
}

/** The instances that are renewed together with this one. */
export function BundleMembers({ bundle, ownId }: BundleMembersProps) {
  const labelOf = useLabel();
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const hidden = bundle.instanceCount - bundle.instances.length;
  return (
    <Flex component="ul" vertical gap={4} className="plain-list">
      {bundle.instances.map(({ id, name, status }) => (
        <li key={id}>
          {id === ownId ? <strong>{id}</strong> : <InstanceLink id={id} />}{" "}
          <Typography.Text type="secondary" className="breakable">
            {name}
          </Typography.Text>{" "}
          {status !== "RUNNING" && <Tag>{labelOf("InstanceStatus", status)}</Tag>}
        </li>
      ))}
      {hidden > 0 && <li>{texts.more(format.count(hidden))}</li>}
    </Flex>
  );
}
