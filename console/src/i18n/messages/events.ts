import type { EventType } from "../../history/eventTypes";

interface EventTexts {
  readonly empty: string;
  readonly openInstance: string;
  readonly openOrder: string;
  readonly columns: Readonly<Record<"occurredAt" | "type" | "summary" | "actor" | "links", string>>;
  readonly types: Readonly<Record<EventType, string>>;
}

export const zh: EventTexts = {
  empty: "没有符合条件的记录",
  openInstance: "查看实例",
  openOrder: "查看订单",
  columns: { occurredAt: "时间", type: "类型", summary: "内容", actor: "操作者", links: "相关" },
  types: {
    "instance.renewed": "续费成功",
    "instance.renewal_failed": "续费失败",
    "instance.expiring": "即将到期",
    "instance.expired": "已到期",
    "instance.restored": "已恢复",
    "instance.released": "已释放",
    "instance.refunded": "已退款",
    "instance.price_held": "涨价待确认",
    "policy.changed": "续费方式变更",
    "expiry.unified": "统一到期时间",
    "account.shortfall": "余额不足",
  },
};

export const en: EventTexts = {
  empty: "No event matches",
  openInstance: "Open instance",
  openOrder: "Open order",
  columns: { occurredAt: "Time", type: "Event", summary: "Summary", actor: "By", links: "Related" },
  types: {
    "instance.renewed": "Renewed",
    "instance.renewal_failed": "Renewal failed",
    "instance.expiring": "Expires soon",
    "instance.expired": "Expired",
    "instance.restored": "Restored",
    "instance.released": "Released",
    "instance.refunded": "Refunded",
    "instance.price_held": "Price held",
    "policy.changed": "Renewal mode changed",
    "expiry.unified": "Expiry unified",
    "account.shortfall": "Low balance",
  },
};
