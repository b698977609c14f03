import { Button, Flex, Tag, Typography } from "antd";
import { useState } from "react";

import { useViewer } from "../app/account";
import * as messages from "../i18n/messages/tags";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { useTexts } from "../i18n/useLanguage";
import { formatTag, type TagPair } from "./tags";
import { TagsDialog } from "./TagsDialog";

interface InstanceTagsProps {
  readonly instanceId: string;
  readonly tags: readonly TagPair[];
  /** A released instance keeps its tags as they are. */
  readonly isFixed: boolean;
}

/** The tags of one instance, and the button that edits them. */
export function InstanceTags({ instanceId, tags, isFixed }: InstanceTagsProps) {
  const texts = useAreaTexts(messages);
  const { filters } = useTexts().list;
  const { canWrite } = useViewer();
  // Each opening has a number, so that the form begins with the present tags.
  const [opening, setOpening] = useState({ number: 0, isOpen: false });
  const close = () => {
    setOpening(({ number }) => ({ number, isOpen: false }));
  };
  return (
    <Flex
      wrap
      gap={4}
      align="center"
      className="tag-list tag-list-whole"
      aria-label={filters.tag}
      role="group"
    >
      {tags.length === 0 && <Typography.Text type="secondary">{texts.none}</Typography.Text>}
      {tags.map((tag) => (
        <Tag key={tag.key}>{formatTag(tag)}</Tag>
      ))}
      {canWrite && !isFixed && (
        <Button
          type="link"
          size="small"
          onClick={() => {
            setOpening(({ number }) => ({ number: number + 1, isOpen: true }));
          }}
        >
          {texts.title}
        </Button>
      )}
      <TagsDialog
        key={opening.number}
        target={{ selection: { ids: [instanceId] }, count: 1, bundleName: null }}
        tags={tags}
        isOpen={opening.isOpen}
        onClose={close}
        afterClose={() => undefined}
      />
    </Flex>
  );
}
