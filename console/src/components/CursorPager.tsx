import { Button, Flex } from "antd";

import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/lists";
import { useAreaTexts } from "../i18n/useAreaTexts";
import type { Cursor } from "./cursor";

interface CursorPagerProps {
  readonly totalCount: number;
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
  readonly onMove: (cursor: Cursor) => void;
}

/** Buttons to the newer and the older rows of a list, with its number of rows. */
export function CursorPager({ totalCount, pageInfo, onMove }: CursorPagerProps) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = pageInfo;
  return (
    <Flex component="nav" aria-label={texts.paging} justify="end" align="center" gap="small" wrap>
      <span>{texts.total(format.count(totalCount))}</span>
      <Button
        size="small"
        disabled={!hasPreviousPage || startCursor === null}
        onClick={() => {
          if (startCursor !== null) onMove({ before: startCursor });
        }}
      >
        {texts.newer}
      </Button>
      <Button
        size="small"
        disabled={!hasNextPage || endCursor === null}
        onClick={() => {
          if (endCursor !== null) onMove({ after: endCursor });
        }}
      >
        {texts.older}
      </Button>
    </Flex>
  );
}
