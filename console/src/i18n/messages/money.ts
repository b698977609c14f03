import type { LedgerEntryKind, OrderKind } from "../../api/generated/graphql";

interface MoneyTexts {
  readonly orderKinds: Readonly<Record<OrderKind, string>>;
  readonly ledgerKinds: Readonly<Record<LedgerEntryKind, string>>;
}

export const zh: MoneyTexts = {
  orderKinds: { MANUAL_RENEWAL: "手动续费", AUTO_RENEWAL: "自动续费", UNIFY_EXPIRY: "统一到期时间" },
  ledgerKinds: { TOP_UP: "充值", RENEWAL: "续费扣款", REFUND: "退款" },
};

export const en: MoneyTexts = {
  orderKinds: { MANUAL_RENEWAL: "Renewal", AUTO_RENEWAL: "Auto-renewal", UNIFY_EXPIRY: "Unified expiry" },
  ledgerKinds: { TOP_UP: "Top-up", RENEWAL: "Renewal", REFUND: "Refund" },
};
