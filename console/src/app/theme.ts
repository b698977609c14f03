import type { ThemeConfig } from "antd";

/** The look of the console: change the tokens here, see https://ant.design/docs/react/customize-theme. */
const THEME: ThemeConfig = {
  token: {
    colorPrimary: "#1f5fd6",
    colorLink: "#1f5fd6",
    // Readable on white and on their own light backgrounds: at least 4.5:1 (WCAG AA).
    colorSuccess: "#237804",
    colorSuccessBg: "#f6ffed",
    colorSuccessBorder: "#b7eb8f",
    colorError: "#cf1322",
    colorErrorBg: "#fff2f0",
    colorErrorBorder: "#ffccc7",
    colorTextDescription: "#5c6675",
    colorTextPlaceholder: "#667085",
    // Two spellings of one color: antd derives a CSS variable from each.
    gold7: "#874d00",
    "gold-7": "#874d00",
    borderRadius: 4,
    fontFamily:
      '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Helvetica Neue", Arial, sans-serif',
  },
  components: {
    Descriptions: { labelColor: "#5c6675" },
    Layout: { headerBg: "#ffffff", headerHeight: 52, headerPadding: "0 20px", siderBg: "#ffffff" },
  },
};

const STILL: ThemeConfig = { ...THEME, token: { ...THEME.token, motion: false } };

/** Return the look for a system that asks for less motion, or does not: nothing then slides, fades or grows. */
export function themeFor(reducesMotion: boolean): ThemeConfig {
  return reducesMotion ? STILL : THEME;
}
