import type { TypedDocumentNode } from "@urql/core";
import { useMemo, useState } from "react";

import type { PaymentQuoteFragment } from "../api/generated/graphql";
import { useApiQuery } from "../api/useApiQuery";
import type { PaymentState } from "./usePayment";

export const LINES_PER_PAGE = 10;

interface QuoteVariables<Input> {
  input: Input;
  first: number;
  offset: number;
}

export type Quote = ReturnType<typeof useQuote>;

/** Ask for the quote of what was chosen; without a choice, or while it is being paid, none is asked for. */
export function useQuote<Input>(
  document: TypedDocumentNode<{ quote: PaymentQuoteFragment }, QuoteVariables<Input>>,
  input: Input,
  { isChosen, phase }: { readonly isChosen: boolean; readonly phase: PaymentState["phase"] },
) {
  const [page, setPage] = useState(1);
  const variables = useMemo(
    () => ({ input, first: LINES_PER_PAGE, offset: (page - 1) * LINES_PER_PAGE }),
    [input, page],
  );
  const { data, error, isLoading, reload } = useApiQuery(document, variables, {
    pause: !isChosen || phase !== "editing",
  });
  return { quote: isChosen ? data?.quote : undefined, error, isLoading, reload, page, setPage };
}
