export const zh = {
  kinds: {
    SET_AUTO: "设为自动续费",
    SET_MANUAL: "设为手动续费",
    SET_NONE: "设为到期不续费",
    RENEW: "续费",
    UNIFY: "统一到期时间",
    SET_TAGS: "编辑标签",
    CHECK_PAYMENT: "确认支付结果",
  },
  bundleKinds: {
    SET_AUTO: "整组设为自动续费",
    SET_MANUAL: "整组设为手动续费",
    SET_NONE: "整组设为到期不续费",
    RENEW: "整组续费",
    UNIFY: "整组统一到期时间",
  },
  column: "操作",
  more: "更多",
  readOnly: "当前账户只有查看权限，不能进行此操作。",
  bundleScope: (name: string) =>
    `该实例属于强关联组“${name}”，组内实例须一起续费，本次操作对组内全部实例生效。`,
  cancel: "取消",
  submit: "确定",
  finish: "完成",
  refusals: {
    separator: "：",
    group: (reason: string, count: string | null) => (count === null ? reason : `${reason}（${count} 个）`),
    cut: (shown: string, count: string) => `共 ${count} 个，此处列出前 ${shown} 个。`,
  },
};

export const en: typeof zh = {
  kinds: {
    SET_AUTO: "Set to auto-renewal",
    SET_MANUAL: "Set to manual renewal",
    SET_NONE: "Do not renew",
    RENEW: "Renew",
    UNIFY: "Unify expiry",
    SET_TAGS: "Edit tags",
    CHECK_PAYMENT: "Check the result of a payment",
  },
  bundleKinds: {
    SET_AUTO: "Set bundle to auto-renewal",
    SET_MANUAL: "Set bundle to manual renewal",
    SET_NONE: "Do not renew bundle",
    RENEW: "Renew bundle",
    UNIFY: "Unify expiry of bundle",
  },
  column: "Actions",
  more: "More",
  readOnly: "You can view this account but not change it.",
  bundleScope: (name) =>
    `This instance is a member of the bundle “${name}”. Its members are renewed together, so this applies to all of them.`,
  cancel: "Cancel",
  submit: "Confirm",
  finish: "Done",
  refusals: {
    separator: ": ",
    group: (reason, count) => (count === null ? reason : `${reason} (${count})`),
    cut: (shown, count) => `The first ${shown} of ${count} are listed.`,
  },
};
