export const zh = {
  all: "全部订单",
  notFound: (id: string) => `没有订单 ${id}。`,
  empty: "没有符合条件的订单",
  details: "订单明细",
  columns: {
    id: "订单号",
    createdAt: "下单时间",
    kind: "订单类型",
    lineCount: "实例数",
    total: "订单金额",
    voucher: "代金券抵扣",
    balance: "余额支付",
    instance: "实例",
    period: "续费周期",
    listPrice: "原价",
    discount: "优惠",
    price: "实付",
  },
  refund: "退款",
  refunded: (amount: string) => `已退款 ${amount}`,
  refundOf: (instant: string, amount: string) => `${instant} 退款 ${amount}`,
  refundParts: (voucher: string, balance: string) => `（退回代金券 ${voucher}，退回余额 ${balance}）`,
  moreLines: (count: string) => `另有 ${count} 个实例`,
  duration: (months: number, days: number) =>
    [months > 0 && `${months} 个月`, days > 0 && `${days} 天`].filter(Boolean).join("零 "),
};

const plural = (count: number, unit: string) => (count === 1 ? `1 ${unit}` : `${count} ${unit}s`);

export const en: typeof zh = {
  all: "All orders",
  notFound: (id) => `There is no order ${id}.`,
  empty: "No order matches",
  details: "Details",
  columns: {
    id: "Order ID",
    createdAt: "Ordered at",
    kind: "Kind",
    lineCount: "Instances",
    total: "Total",
    voucher: "By vouchers",
    balance: "By balance",
    instance: "Instance",
    period: "Period",
    listPrice: "List price",
    discount: "Discount",
    price: "Price",
  },
  refund: "Refund",
  refunded: (amount) => `${amount} refunded`,
  refundOf: (instant, amount) => `${amount} refunded at ${instant}`,
  refundParts: (voucher, balance) => `(${voucher} to vouchers, ${balance} to the balance)`,
  moreLines: (count) => `${count} more`,
  duration: (months, days) =>
    [months > 0 && plural(months, "month"), days > 0 && plural(days, "day")].filter(Boolean).join(", "),
};
