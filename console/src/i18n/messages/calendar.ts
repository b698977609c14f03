export const zh = {
  about: "将未来 90 天的到期提醒订阅到 Outlook、Apple 或 Google 日历。订阅地址即凭证，请勿泄露。",
  make: "生成订阅地址",
  confirm: "生成新的订阅地址？",
  replaces: "原订阅地址将立即失效。",
  url: "订阅地址",
  once: "订阅地址仅显示一次，请立即复制保存。",
};

export const en: typeof zh = {
  about:
    "Subscribe to the expiries of the coming 90 days in Outlook, Apple or Google Calendar. Anyone with the address can read them, so keep it secret.",
  make: "Create an address",
  confirm: "Create a new address?",
  replaces: "The previous address stops working immediately.",
  url: "Address",
  once: "The address is shown once. Copy it now.",
};
