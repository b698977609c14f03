import type { ThemeConfig } from "antd";

/** The look of the console: change the tokens here, see https://ant.design/docs/react/customize-theme. */
export const THEME: ThemeConfig = {
  token: {
    colorPrimary: "#1f5fd6",
    colorLink: "#1f5fd6",
    borderRadius: 4,
    fontFamily:
      '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Helvetica Neue", Arial, sans-serif',
  },
  components: {
    Layout: { headerBg: "#ffffff", headerHeight: 52, headerPadding: "0 20px", siderBg: "#ffffff" },
  },
};
