export const zh = {
  hints: {
    AUTO: "系统将在实例到期当天凌晨自动续费，优先使用代金券，再扣减账户余额。请保证账户资金充足：当天续费失败的实例会过期，只能手动续费恢复。",
    MANUAL: "系统不再自动续费，请在实例到期前手动续费。",
    NONE: "实例到期后不再续费，也不再发送到期提醒。",
  },
  autoRenewMonths: "每次续费时长",
  keepMonths: "保持实例原有时长（首次设置为 1 个月）",
  previewing: "正在计算变更…",
  summary: (_count: number, text: string) => `将修改 ${text} 个实例的续费方式。`,
  nothing: "没有可以修改的实例。",
  unchanged: (_count: number, text: string) => `另有 ${text} 个实例无需修改。`,
  refused: (_count: number, text: string) => `${text} 个实例不能修改，将保持不变`,
  changeCount: (count: string) => `共 ${count} 个`,
  columns: {
    instance: "实例",
    before: "当前续费方式",
    after: "修改后",
    firstChargeAt: "首次扣费时间",
    firstChargePrice: "首次扣费金额",
  },
  modeWithMonths: (mode: string, months: string) => `${mode}（${months}）`,
  setting: (count: string) => `正在设置 ${count} 个实例…`,
  confirming: "网络异常，正在确认设置结果…",
  done: "设置成功",
  changed: (_count: number, text: string) => `已修改 ${text} 个实例的续费方式。`,
  doneAfterLoss: "连接曾中断，现已确认：所选实例的续费方式已生效。",
  showList: (tab: string) => `查看“${tab}”列表`,
};

const instances = (count: number, text: string) => (count === 1 ? "1 instance" : `${text} instances`);

export const en: typeof zh = {
  hints: {
    AUTO: "Instances are renewed early on their last day, from vouchers first and then from the balance. Keep enough money in the account: an instance that cannot be paid that day expires, and only a manual renewal restores it.",
    MANUAL: "Instances are no longer renewed automatically. Renew them before they expire.",
    NONE: "Instances are not renewed and expire. No more reminders are sent.",
  },
  autoRenewMonths: "Length of each renewal",
  keepMonths: "Keep the length of each instance (1 month by default)",
  previewing: "Calculating the changes…",
  summary: (count, text) => `The renewal mode of ${instances(count, text)} will change.`,
  nothing: "There is nothing to change.",
  unchanged: (count, text) =>
    count === 1 ? "1 other instance already has it." : `${text} other instances already have it.`,
  refused: (count, text) =>
    `${instances(count, text)} cannot be changed and ${count === 1 ? "keeps its" : "keep their"} renewal mode`,
  changeCount: (count) => `${count} in total`,
  columns: {
    instance: "Instance",
    before: "Now",
    after: "After",
    firstChargeAt: "First charge at",
    firstChargePrice: "First charge",
  },
  modeWithMonths: (mode, months) => `${mode} (${months})`,
  setting: (count) => (count === "1" ? "Setting 1 instance…" : `Setting ${count} instances…`),
  confirming: "The connection was lost. Checking the result…",
  done: "The renewal mode was set",
  changed: (count, text) => `The renewal mode of ${instances(count, text)} was changed.`,
  doneAfterLoss: "The connection was lost for a while. The selected instances now have this renewal mode.",
  showList: (tab) => `Show the list “${tab}”`,
};
