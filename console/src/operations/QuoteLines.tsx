import { Table, type TableColumnsType } from "antd";
import { useMemo } from "react";

import type { PaymentQuoteFragment } from "../api/generated/graphql";
import { useIsNarrow } from "../components/useIsNarrow";
import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { OperatedInstance } from "./OperatedInstance";
import { LINES_PER_PAGE } from "./useQuote";

type Line = PaymentQuoteFragment["lines"][number];

interface QuoteLinesProps {
  readonly quote: PaymentQuoteFragment;
  readonly page: number;
  readonly onPageChange: (page: number) => void;
}

/** The expiry before and after, and the price, of each instance. */
export function QuoteLines({ quote, page, onPageChange }: QuoteLinesProps) {
  const texts = useTexts().payment;
  const format = useFormat();
  const isNarrow = useIsNarrow();
  const columns = useLineColumns(isNarrow);
  if (quote.lineCount === 0) return null;
  return (
    <Table<Line>
      rowKey={({ instance }) => instance.id}
      size="small"
      columns={columns}
      dataSource={[...quote.lines]}
      {...(!isNarrow && { scroll: { x: 640 } })}
      pagination={
        quote.lineCount > LINES_PER_PAGE && {
          current: page,
          pageSize: LINES_PER_PAGE,
          total: quote.lineCount,
          showSizeChanger: false,
          size: "small",
          showTotal: (total) => texts.lineCount(format.count(total)),
          onChange: onPageChange,
        }
      }
    />
  );
}

function useLineColumns(isNarrow: boolean): TableColumnsType<Line> {
  const texts = useTexts().payment;
  const format = useFormat();
  return useMemo(() => {
    const { columns } = texts;
    const price: TableColumnsType<Line>[number] = {
      title: columns.price,
      key: "price",
      width: isNarrow ? 104 : 130,
      align: "end",
      className: "tabular",
      render: (_, line) => <LinePrice line={line} />,
    };
    if (isNarrow) {
      return [
        {
          title: columns.instance,
          key: "instance",
          render: (_, { instance, startsAt, expiresAt, months, days }) => (
            <>
              <OperatedInstance instance={instance} />
              <br />
              <span className="tabular">
                {format.day(startsAt)} → <strong>{format.day(expiresAt)}</strong>
              </span>{" "}
              <span className="note">{texts.term(months, days)}</span>
            </>
          ),
        },
        price,
      ];
    }
    return [
      {
        title: columns.instance,
        key: "instance",
        render: (_, { instance }) => <OperatedInstance instance={instance} />,
      },
      {
        title: columns.before,
        key: "before",
        width: 110,
        className: "tabular",
        render: (_, { startsAt }) => format.day(startsAt),
      },
      {
        title: columns.after,
        key: "after",
        width: 110,
        className: "tabular",
        render: (_, { expiresAt }) => <strong>{format.day(expiresAt)}</strong>,
      },
      {
        title: columns.term,
        key: "term",
        width: 130,
        render: (_, { months, days }) => texts.term(months, days),
      },
      price,
    ];
  }, [texts, format, isNarrow]);
}

function LinePrice({ line: { listPrice, discount, price } }: { readonly line: Line }) {
  const texts = useTexts().payment;
  const format = useFormat();
  return (
    <>
      {format.money(price)}
      {isPositive(discount) && (
        <>
          <br />
          <del className="note" aria-label={`${texts.listTotal} ${format.money(listPrice)}`}>
            {format.money(listPrice)}
          </del>
        </>
      )}
    </>
  );
}
