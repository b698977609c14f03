import type { BillingMode, InstanceStatus, RenewalMode, RenewalTab } from "../../api/generated/graphql";

interface EnumLabels {
  readonly billingMode: Readonly<Record<BillingMode, string>>;
  readonly status: Readonly<Record<InstanceStatus, string>>;
  readonly renewalMode: Readonly<Record<RenewalMode, string>>;
  readonly tab: Readonly<Record<RenewalTab, string>>;
}

export const zh: EnumLabels = {
  billingMode: { PREPAID: "包年包月", ONE_OFF: "按次购买", PAY_AS_YOU_GO: "按量付费" },
  status: { RUNNING: "运行中", EXPIRED: "已过期", RELEASED: "已释放" },
  renewalMode: { MANUAL: "手动续费", AUTO: "自动续费", NONE: "到期不续费" },
  tab: { MANUAL: "手动续费", AUTO: "自动续费", NONE: "到期不续费", NO_EXPIRY: "无到期时间" },
};

export const en: EnumLabels = {
  billingMode: { PREPAID: "Prepaid", ONE_OFF: "One-off", PAY_AS_YOU_GO: "Pay as you go" },
  status: { RUNNING: "Running", EXPIRED: "Expired", RELEASED: "Released" },
  renewalMode: { MANUAL: "Manual renewal", AUTO: "Auto-renewal", NONE: "Not renewed" },
  tab: { MANUAL: "Manual renewal", AUTO: "Auto-renewal", NONE: "Not renewed", NO_EXPIRY: "No expiry" },
};
