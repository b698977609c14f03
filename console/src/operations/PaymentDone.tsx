import { Button, Flex, Result, Table, Typography, type TableColumnsType } from "antd";
import { useMemo } from "react";

import { isPositive } from "../format/money";
import { useFormat } from "../format/useFormat";
import { useTexts } from "../i18n/useLanguage";
import { DialogFrame } from "./DialogFrame";
import { OperatedInstance } from "./OperatedInstance";
import type { OperationDialogProps } from "./operations";
import type { PaymentSuccess } from "./payment";
import { RefusalAlert } from "./RefusalAlert";
import type { PaymentProcess } from "./usePayment";

interface PaymentDoneProps extends Pick<OperationDialogProps, "isOpen" | "onClose" | "afterClose"> {
  readonly title: string;
  readonly result: PaymentSuccess;
  readonly process: PaymentProcess;
  /** Whether the operation for which the dialog was opened is still to be done. */
  readonly canGoOn?: boolean;
}

/** The order, how it was paid, and the new expiries. */
export function PaymentDone({ result, process, canGoOn = process.isEarlier, ...frame }: PaymentDoneProps) {
  const texts = useTexts();
  const format = useFormat();
  const { order, account, refusals, refusalCount } = result;
  const footer = (
    <Flex justify="end" gap="small" wrap>
      {canGoOn && <Button onClick={process.restart}>{texts.payment.goOn}</Button>}
      <Button type="primary" autoFocus onClick={frame.onClose}>
        {texts.operations.finish}
      </Button>
    </Flex>
  );
  return (
    <DialogFrame {...frame} isClosable footer={footer}>
      <Flex vertical gap="middle" role="status">
        <Result
          status="success"
          className="payment-result"
          title={process.isEarlier ? texts.payment.earlierPaid : texts.payment.paid}
          subTitle={texts.payment.paidLine(format.count(order.lineCount), format.money(order.total))}
        />
        <dl className="amounts">
          <div>
            <dt>{texts.payment.order}</dt>
            <dd>
              <Typography.Text copyable className="instance-id">
                {order.id}
              </Typography.Text>
            </dd>
          </div>
          {isPositive(order.voucherTotal) && (
            <div>
              <dt>{texts.payment.byVouchers}</dt>
              <dd className="tabular">{format.money(order.voucherTotal)}</dd>
            </div>
          )}
          <div>
            <dt>{texts.payment.byBalance}</dt>
            <dd className="tabular">{format.money(order.balanceTotal)}</dd>
          </div>
          <div>
            <dt>{texts.payment.balanceNow}</dt>
            <dd className="tabular">{format.money(account.balance)}</dd>
          </div>
        </dl>
        <RefusalAlert
          title={texts.payment.left(format.count(refusalCount))}
          refusals={refusals}
          count={refusalCount}
        />
        <PaidLines order={order} />
      </Flex>
    </DialogFrame>
  );
}

type Order = PaymentSuccess["order"];
type Line = Order["lines"][number];

function PaidLines({ order }: { readonly order: Order }) {
  const texts = useTexts().payment;
  const format = useFormat();
  const columns = useMemo<TableColumnsType<Line>>(
    () => [
      {
        title: texts.columns.instance,
        key: "instance",
        render: (_, { instance }) => <OperatedInstance instance={instance} />,
      },
      {
        title: texts.columns.newExpiry,
        key: "expiry",
        className: "tabular",
        render: (_, { expiresAt }) => format.instant(expiresAt),
      },
      {
        title: texts.columns.price,
        key: "price",
        align: "end",
        className: "tabular",
        render: (_, { price }) => format.money(price),
      },
    ],
    [texts, format],
  );
  return (
    <>
      <Table<Line>
        rowKey={({ instance }) => instance.id}
        size="small"
        columns={columns}
        dataSource={[...order.lines]}
        scroll={{ x: 480 }}
        pagination={{ pageSize: 5, hideOnSinglePage: true, showSizeChanger: false, size: "small" }}
      />
      {order.lines.length < order.lineCount && (
        <p className="note">
          {texts.linesCut(format.count(order.lines.length), format.count(order.lineCount))}
        </p>
      )}
    </>
  );
}
