import { Flex, Tag } from "antd";

import { formatTag, type TagPair } from "../tags/tags";

/** The tags of an instance. One that is wider than its cell is cut, and is whole in its tooltip. */
export function TagList({ tags }: { readonly tags: readonly TagPair[] }) {
  if (tags.length === 0) return null;
  return (
    <Flex wrap gap={4} className="tag-list">
      {tags.map((tag) => (
        <Tag key={tag.key} title={formatTag(tag)}>
          {formatTag(tag)}
        </Tag>
      ))}
    </Flex>
  );
}
