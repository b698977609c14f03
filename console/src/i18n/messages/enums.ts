import type {
  BillingMode,
  InstanceStatus,
  RefusalCode,
  RenewalMode,
  RenewalTab,
} from "../../api/generated/graphql";

interface EnumLabels {
  readonly billingMode: Readonly<Record<BillingMode, string>>;
  readonly status: Readonly<Record<InstanceStatus, string>>;
  readonly renewalMode: Readonly<Record<RenewalMode, string>>;
  readonly tab: Readonly<Record<RenewalTab, string>>;
  readonly refusal: Readonly<Record<RefusalCode, string>>;
}

export const zh: EnumLabels = {
  billingMode: { PREPAID: "包年包月", ONE_OFF: "按次购买", PAY_AS_YOU_GO: "按量付费" },
  status: { RUNNING: "运行中", EXPIRED: "已过期", RELEASED: "已释放" },
  renewalMode: { MANUAL: "手动续费", AUTO: "自动续费", NONE: "到期不续费" },
  tab: { MANUAL: "手动续费", AUTO: "自动续费", NONE: "到期不续费", NO_EXPIRY: "无到期时间" },
  refusal: {
    NOT_FOUND: "实例不存在",
    UNSUPPORTED_PRODUCT: "产品不支持在续费管理中续费",
    TRIAL: "试用实例",
    ONE_OFF: "按次购买的实例",
    NO_EXPIRY: "无到期时间",
    EXPIRED: "实例已过期",
    RELEASED: "实例已释放",
    BUNDLED: "强关联实例不能参与批量操作",
    BUNDLE_INCOMPLETE: "未选择整组强关联实例",
    PERIOD_TOO_SHORT: "续费时长过短",
    MAX_TERM_EXCEEDED: "超过产品的最长可续时长",
    TARGET_NOT_LATER: "目标日期不晚于当前到期时间",
    INSUFFICIENT_FUNDS: "余额不足",
    PRICE_HELD: "价格上涨，等待确认",
    BEFORE_CUT_OVER: "自动续费启用前已到期",
    TOO_MANY_TAGS: "标签过多",
  },
};

export const en: EnumLabels = {
  billingMode: { PREPAID: "Prepaid", ONE_OFF: "One-off", PAY_AS_YOU_GO: "Pay as you go" },
  status: { RUNNING: "Running", EXPIRED: "Expired", RELEASED: "Released" },
  renewalMode: { MANUAL: "Manual renewal", AUTO: "Auto-renewal", NONE: "Not renewed" },
  tab: { MANUAL: "Manual renewal", AUTO: "Auto-renewal", NONE: "Not renewed", NO_EXPIRY: "No expiry" },
  refusal: {
    NOT_FOUND: "No such instance",
    UNSUPPORTED_PRODUCT: "Product without renewal management",
    TRIAL: "Trial",
    ONE_OFF: "One-off purchase",
    NO_EXPIRY: "No expiry",
    EXPIRED: "Expired",
    RELEASED: "Released",
    BUNDLED: "Members of bundles cannot take part in a batch",
    BUNDLE_INCOMPLETE: "Not the whole bundle",
    PERIOD_TOO_SHORT: "Duration too short",
    MAX_TERM_EXCEEDED: "Beyond the product's longest term",
    TARGET_NOT_LATER: "Date not later than the present expiry",
    INSUFFICIENT_FUNDS: "Not enough money",
    PRICE_HELD: "Price rise to be confirmed",
    BEFORE_CUT_OVER: "Due before auto-renewal began",
    TOO_MANY_TAGS: "Too many tags",
  },
};
