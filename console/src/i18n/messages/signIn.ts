export const zh = {
  title: "登录续费管理",
  key: "API 密钥",
  keyHint: "密钥只保存在本标签页，关闭后即清除。",
  keyRequired: "请输入 API 密钥",
  submit: "登录",
  or: "或",
  withProvider: "使用企业账号登录",
  reasons: {
    expired: "登录已失效，请重新登录。",
    signedOut: "已退出登录。",
    refused: "密钥无效或已过期，请检查后重新输入。",
    notAccepted: "企业账号的登录已过期，或该账号尚未开通续费管理。请重新登录；如仍无法进入，请联系管理员。",
    failed: "企业账号登录未完成，请重试。",
  },
};

export const en: typeof zh = {
  title: "Sign in to Renewals",
  key: "API key",
  keyHint: "The key stays in this tab and is forgotten when you close it.",
  keyRequired: "Enter an API key",
  submit: "Sign in",
  or: "or",
  withProvider: "Sign in with your organization",
  reasons: {
    expired: "Your sign-in has expired. Sign in again.",
    signedOut: "You have signed out.",
    refused: "The key is invalid or has expired. Check it and try again.",
    notAccepted:
      "Your organization's sign-in is not accepted here, or has expired. Sign in again, or ask your administrator for access.",
    failed: "The sign-in with your organization did not finish. Try again.",
  },
};
