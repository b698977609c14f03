import { Layout, Menu } from "antd";
import { Link, useLocation } from "wouter";

import { useTexts } from "../i18n/useLanguage";
import { PAGES } from "./pages";

export function PageMenu() {
  const texts = useTexts().common;
  const [location] = useLocation();
  return (
    <Layout.Sider width={168} breakpoint="lg" collapsedWidth={0} theme="light">
      <nav aria-label={texts.menu}>
        <Menu
          mode="inline"
          selectedKeys={[location]}
          items={PAGES.map(({ name, path }) => ({
            key: path,
            label: <Link href={path}>{texts.pages[name]}</Link>,
          }))}
        />
      </nav>
    </Layout.Sider>
  );
}
