import { Flex, Tag, Tooltip, Typography } from "antd";

import { InstanceLink } from "../components/InstanceLink";
import { TagList } from "../components/TagList";
import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

interface InstanceCellProps {
  readonly row: InstanceRow;
  /** The name of its product, where that has no column of its own. */
  readonly product?: string;
}

/** The instance's id and name, with its tags, and a mark if it is a member of a bundle. */
export function InstanceCell({ row, product }: InstanceCellProps) {
  const texts = useTexts().list;
  return (
    <Flex vertical align="start" gap={2}>
      <InstanceLink id={row.id} />
      <Typography.Text type="secondary" className="breakable">
        {row.name}
      </Typography.Text>
      {product !== undefined && <span>{product}</span>}
      <TagList tags={row.tags} />
      {row.bundle && (
        <Tooltip title={texts.bundleOf(row.bundle.name)}>
          <Tag color="gold">{texts.bundle}</Tag>
        </Tooltip>
      )}
    </Flex>
  );
}
