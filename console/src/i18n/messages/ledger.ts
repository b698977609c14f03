export const zh = {
  scope: "资金类型",
  scopes: { all: "全部", balance: "余额", vouchers: "代金券" },
  empty: "没有符合条件的流水",
  balance: "余额",
  voucher: "代金券",
  voucherAfter: (amount: string) => `该券剩余 ${amount}`,
  openOrder: "查看订单",
  columns: {
    createdAt: "时间",
    kind: "类型",
    target: "资金类型",
    amount: "金额",
    after: "变动后余额",
    order: "订单",
    memo: "备注",
  },
};

export const en: typeof zh = {
  scope: "Source",
  scopes: { all: "All", balance: "Balance", vouchers: "Vouchers" },
  empty: "No entry matches",
  balance: "Balance",
  voucher: "Voucher",
  voucherAfter: (amount) => `${amount} on voucher`,
  openOrder: "Open order",
  columns: {
    createdAt: "Time",
    kind: "Kind",
    target: "Source",
    amount: "Amount",
    after: "Amount left",
    order: "Order",
    memo: "Memo",
  },
};
