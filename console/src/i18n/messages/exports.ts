export const zh = {
  table: "导出内容",
  tables: { instances: "实例", orders: "订单明细", ledger: "收支明细" },
  hints: {
    instances: "每行一个实例，包含配置、续费方式和到期时间。",
    orders: "每行一条订单明细，即一个实例的费用。",
    ledger: "每行一笔余额或代金券的变动。",
  },
  format: "文件格式",
  formats: { csv: "CSV（适用于 Excel）", jsonl: "JSON Lines（适用于程序）" },
  download: "下载",
  cancel: "取消",
  received: (size: string) => `已接收 ${size} kB…`,
  done: (name: string, size: string) => `已下载 ${name}（${size} kB）`,
  failures: {
    unauthenticated: "登录已失效，请重新登录。",
    refused: (message: string) => `无法导出：${message}`,
    busy: "正在进行的导出过多，请稍后再试。",
    cut: "下载中断，文件不完整，未保存。请重试。",
  },
};

export const en: typeof zh = {
  table: "Content",
  tables: { instances: "Instances", orders: "Order lines", ledger: "Ledger" },
  hints: {
    instances: "One row for each instance, with its configuration, renewal mode and expiry.",
    orders: "One row for each line of an order. A line is the renewal of one instance.",
    ledger: "One row for each change of the balance or of a voucher.",
  },
  format: "Format",
  formats: { csv: "CSV (for spreadsheets)", jsonl: "JSON Lines (for programs)" },
  download: "Download",
  cancel: "Cancel",
  received: (size) => `${size} kB received…`,
  done: (name, size) => `${name} was downloaded (${size} kB)`,
  failures: {
    unauthenticated: "Your sign-in has expired. Sign in again.",
    refused: (message) => `The export was refused: ${message}`,
    busy: "Too many exports are running. Try again in a moment.",
    cut: "The download was interrupted, so nothing was saved. Try again.",
  },
};
