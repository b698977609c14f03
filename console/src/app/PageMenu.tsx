import { Layout, Menu } from "antd";
import { Link, useLocation } from "wouter";

import { useTexts } from "../i18n/useLanguage";
import { PAGES } from "./pages";

/** The pages: at the side, or above the page where there is no room beside it. */
export function PageMenu({ isAbove }: { readonly isAbove: boolean }) {
  const texts = useTexts().common;
  const [location] = useLocation();
  const menu = (
    <nav aria-label={texts.menu}>
      <Menu
        className="page-menu"
        mode={isAbove ? "horizontal" : "inline"}
        selectedKeys={[location]}
        items={PAGES.map(({ name, path }) => ({
          key: path,
          label: <Link href={path}>{texts.pages[name]}</Link>,
        }))}
      />
    </nav>
  );
  if (isAbove) return menu;
  return (
    <Layout.Sider width={168} theme="light">
      {menu}
    </Layout.Sider>
  );
}
