import { Flex, Result } from "antd";

import type { SetTagsMutation } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import * as messages from "../i18n/messages/tags";
import { useAreaTexts } from "../i18n/useAreaTexts";
import { RefusalAlert } from "../operations/RefusalAlert";

export type TagsResult = Extract<SetTagsMutation["setTags"], { __typename: "SetTagsSuccess" }>;

/** How many instances have the tags now, and which were refused. */
export function TagsDone({ result }: { readonly result: TagsResult }) {
  const texts = useAreaTexts(messages);
  const format = useFormat();
  const { changedCount, unchangedCount, refusals, refusalCount } = result;
  return (
    <Flex vertical gap="middle" role="status">
      <Result
        status={changedCount > 0 ? "success" : "info"}
        title={texts.done}
        subTitle={texts.counts(format.count(changedCount), format.count(unchangedCount))}
      />
      <RefusalAlert
        title={texts.refused(format.count(refusalCount))}
        refusals={refusals}
        count={refusalCount}
      />
    </Flex>
  );
}
