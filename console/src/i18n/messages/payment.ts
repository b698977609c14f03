import type { DiscountRange } from "../../operations/discounts";

export const zh = {
  renewTitle: "续费",
  unifyTitle: "统一到期时间",
  duration: "续费时长",
  months: (count: number) => (count % 12 === 0 ? `${count / 12} 年` : `${count} 个月`),
  discounts: ({ least, most }: DiscountRange) =>
    `${least === most ? "" : "低至 "}${Number(((100 - most) / 10).toFixed(2))} 折`,
  term: (months: number, days: number) =>
    [months > 0 ? `${months} 个月` : "", days > 0 ? `${days} 天` : ""].filter(Boolean).join("零 "),
  unifyByDay: "统一到每月固定日",
  unifyByDate: "统一到指定日期",
  dayOfMonth: (day: number) => (day === 31 ? "每月最后一天" : `每月 ${day} 日`),
  chooseDate: "选择日期",
  unifyByDayHint: "各实例至少续费 1 个月，到期时间统一为此后首个固定日的 23:59:59。",
  unifyByDateHint: "各实例均续费至该日 23:59:59，该日期须晚于所有实例的当前到期时间。",
  quoting: "正在计算价格…",
  refused: (count: string) => `${count} 个实例不能续费`,
  partial: (count: string) => `仅为其余 ${count} 个实例续费`,
  columns: {
    instance: "实例",
    before: "当前到期日",
    after: "新的到期日",
    newExpiry: "新的到期时间",
    term: "续费时长",
    price: "金额",
  },
  lineCount: (count: string) => `共 ${count} 个`,
  linesCut: (shown: string, count: string) => `共 ${count} 个实例，此处列出前 ${shown} 个。`,
  summary: "费用明细",
  listTotal: "原价",
  discount: "优惠",
  total: "应付金额",
  byVouchers: "代金券抵扣",
  byBalance: "余额支付",
  balanceAfter: "支付后余额",
  balanceNow: "账户余额",
  shortfall: (amount: string) => `余额不足，还差 ${amount}`,
  topUp: (amount: string) => `请至少充值 ${amount}，到账后点击“刷新”，再点击“立即支付”。`,
  refresh: "刷新",
  toPay: "应付金额：",
  pay: "立即支付",
  blocked: {
    nothing: "没有可以续费的实例",
    shortfall: "余额不足，请先充值",
    refusals: "请确认是否仅为其余实例续费",
  },
  priceChanged: (before: string, now: string) =>
    `价格已由 ${before} 变为 ${now}，本次未扣款。请核对新的价格后重新支付。`,
  insufficient: (required: string, available: string) =>
    `余额不足，本次未扣款：需要 ${required}，可用 ${available}。`,
  paying: "正在支付，请稍候…",
  payingHint: (count: string, total: string) => `${count} 个实例，共 ${total}`,
  confirming: "正在确认支付结果…",
  confirmingHint: (lostCount: number) =>
    `连接中断，正在第 ${lostCount} 次重新确认。不会重复扣款；也可以先关闭窗口，稍后再确认。`,
  pending: "上一次支付的结果尚未确认",
  pendingHint: (kind: string, count: string, total: string) =>
    `${kind}：${count} 个实例，共 ${total}。请先确认结果：如已支付，不会重复扣款；如尚未支付，将按该金额完成支付。`,
  confirm: "确认支付结果",
  forget: "不再确认",
  goOn: "继续本次操作",
  earlierNotPaid: "上一次支付未成功，没有扣款，原因如下。",
  earlierPaid: "上一次支付已成功",
  paid: "支付成功",
  paidLine: (count: string, total: string) => `已为 ${count} 个实例续费，共 ${total}。`,
  order: "订单号",
  left: (count: string) => `${count} 个实例未续费，也未收费`,
};

const instances = (count: string) => (count === "1" ? "1 instance" : `${count} instances`);
const monthsOf = (count: number) => (count === 1 ? "1 month" : `${count} months`);

export const en: typeof zh = {
  renewTitle: "Renew",
  unifyTitle: "Unify expiry",
  duration: "Duration",
  months: (count) => {
    if (count % 12 !== 0) return monthsOf(count);
    return count === 12 ? "1 year" : `${count / 12} years`;
  },
  discounts: ({ least, most }) => `${least === most ? "" : "up to "}${most}% off`,
  term: (months, days) =>
    [months > 0 ? monthsOf(months) : "", days > 0 ? (days === 1 ? "1 day" : `${days} days`) : ""]
      .filter(Boolean)
      .join(" "),
  unifyByDay: "To a day of the month",
  unifyByDate: "To a date",
  dayOfMonth: (day) => (day === 31 ? "Last day of the month" : `Day ${day}`),
  chooseDate: "Choose a date",
  unifyByDayHint:
    "Each instance is renewed for at least one month, until 23:59:59 on the first such day after that month.",
  unifyByDateHint:
    "Each instance is renewed until 23:59:59 on this day. The day must be later than all current expiries.",
  quoting: "Calculating the price…",
  refused: (count) => `${instances(count)} cannot be renewed`,
  partial: (count) => (count === "1" ? "Renew the other one only" : `Renew the other ${count} only`),
  columns: {
    instance: "Instance",
    before: "Current expiry",
    after: "New expiry",
    newExpiry: "New expiry",
    term: "Duration",
    price: "Price",
  },
  lineCount: (count) => `${count} in total`,
  linesCut: (shown, count) => `The first ${shown} of ${count} instances are listed.`,
  summary: "Price",
  listTotal: "List price",
  discount: "Discount",
  total: "To pay",
  byVouchers: "From vouchers",
  byBalance: "From the balance",
  balanceAfter: "Balance afterwards",
  balanceNow: "Balance",
  shortfall: (amount) => `Not enough money: ${amount} is missing`,
  topUp: (amount) => `Add at least ${amount}, then click “Refresh” and “Pay now”.`,
  refresh: "Refresh",
  toPay: "To pay:",
  pay: "Pay now",
  blocked: {
    nothing: "No instance can be renewed",
    shortfall: "Top up first",
    refusals: "Agree to renew the others only",
  },
  priceChanged: (before, now) =>
    `The price has changed from ${before} to ${now}. Nothing was charged. Check the new price and pay again.`,
  insufficient: (required, available) =>
    `Not enough money: ${required} is required, but only ${available} is available. Nothing was charged.`,
  paying: "Paying…",
  payingHint: (count, total) => `${instances(count)}, ${total}`,
  confirming: "Checking the result of the payment…",
  confirmingHint: (lostCount) =>
    `The connection was lost. This is check ${lostCount} of the result. You will not be charged twice. You can close this dialog and check later.`,
  pending: "The result of your last payment is unknown",
  pendingHint: (kind, count, total) =>
    `${kind}: ${instances(count)}, ${total}. Check the result first. If the payment succeeded, you are not charged again. Otherwise, the same amount is paid now.`,
  confirm: "Check the result",
  forget: "Do not check",
  goOn: "Continue",
  earlierNotPaid: "Your last payment did not succeed, and nothing was charged. The reason:",
  earlierPaid: "Your last payment succeeded",
  paid: "Paid",
  paidLine: (count, total) => `${instances(count)} renewed for ${total}.`,
  order: "Order",
  left: (count) => `${instances(count)} not renewed and not charged`,
};
