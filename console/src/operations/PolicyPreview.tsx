import { Flex } from "antd";

import type { PreviewRenewalPolicyQuery, RenewalMode } from "../api/generated/graphql";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { PolicyChanges } from "./PolicyChanges";
import { RefusalAlert } from "./RefusalAlert";

interface PolicyPreviewProps {
  readonly preview: PreviewRenewalPolicyQuery["previewRenewalPolicy"];
  readonly mode: RenewalMode;
  readonly page: number;
  readonly onPageChange: (page: number) => void;
}

/** What setting a policy would change, and what it would not. */
export function PolicyPreview({ preview, mode, page, onPageChange }: PolicyPreviewProps) {
  const texts = useTexts().policy;
  const format = useFormat();
  const { changes, changeCount, unchangedCount, refusals, refusalCount } = preview;
  return (
    <Flex vertical gap="middle">
      <p className="summary" aria-live="polite">
        {changeCount > 0 ? texts.summary(changeCount, format.count(changeCount)) : texts.nothing}
        {unchangedCount > 0 && ` ${texts.unchanged(unchangedCount, format.count(unchangedCount))}`}
      </p>
      <RefusalAlert
        title={texts.refused(refusalCount, format.count(refusalCount))}
        refusals={refusals}
        count={refusalCount}
      />
      {changeCount > 0 && (
        <PolicyChanges
          changes={changes}
          count={changeCount}
          isAuto={mode === "AUTO"}
          page={page}
          onPageChange={onPageChange}
        />
      )}
    </Flex>
  );
}
