import { useMemo, useState } from "react";

import { PreviewRenewalPolicyDocument, type SetRenewalPolicyInput } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";

export const CHANGES_PER_PAGE = 10;

/** Ask what setting a policy would do. */
export function usePolicyPreview(input: SetRenewalPolicyInput) {
  const [page, setPage] = useState(1);
  const variables = useMemo(
    () => ({ input, first: CHANGES_PER_PAGE, offset: (page - 1) * CHANGES_PER_PAGE }),
    [input, page],
  );
  const { data, error, isLoading, reload } = useApiQuery(PreviewRenewalPolicyDocument, variables);
  return { preview: data?.previewRenewalPolicy, error, isLoading, reload, page, setPage };
}
