import { Button, Dropdown, Flex, Tooltip } from "antd";
import { useRef } from "react";

import type { RenewalMode } from "../api/generated/graphql";
import { useViewer } from "../app/account";
import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "../instances/useInstanceList";
import { useOperations, type OperationKind } from "./operations";

const MORE = ["SET_AUTO", "SET_MANUAL", "SET_NONE", "UNIFY"] as const satisfies readonly OperationKind[];

/** The modes that an instance already in them need not be set to; auto-renewal can change its length. */
const MODES: Readonly<Partial<Record<OperationKind, RenewalMode>>> = {
  SET_MANUAL: "MANUAL",
  SET_NONE: "NONE",
};

/** What can be done with an instance, or with the bundle that it is a member of. */
export function RowOperations({ row }: { readonly row: InstanceRow }) {
  const texts = useTexts().operations;
  const { canWrite } = useViewer();
  const open = useOperations();
  const more = useRef<HTMLButtonElement>(null);
  if (row.expiresAt === null) return null;
  const bundleName = row.bundle?.name ?? null;
  const labels = bundleName === null ? texts.kinds : texts.bundleKinds;
  const start = (kind: OperationKind, opener: HTMLElement | null = null) => {
    open({ kind, target: { selection: { ids: [row.id] }, count: 1, bundleName }, opener });
  };
  return (
    <Tooltip title={canWrite ? null : texts.readOnly}>
      <Flex gap={4} align="center" wrap>
        <Button
          type="link"
          size="small"
          disabled={!canWrite}
          aria-label={`${labels.RENEW} ${row.id}`}
          onClick={() => {
            start("RENEW");
          }}
        >
          {labels.RENEW}
        </Button>
        <Dropdown
          trigger={["click"]}
          disabled={!canWrite}
          menu={{
            items: MORE.filter((kind) => bundleName !== null || MODES[kind] !== row.renewalMode).map(
              (kind) => ({ key: kind, label: labels[kind] }),
            ),
            onClick: ({ key }) => {
              start(key as OperationKind, more.current);
            },
          }}
        >
          <Button
            ref={more}
            type="link"
            size="small"
            disabled={!canWrite}
            aria-label={`${texts.more} ${row.id}`}
          >
            {texts.more}
          </Button>
        </Dropdown>
      </Flex>
    </Tooltip>
  );
}
