import { Breadcrumb, Flex, Typography } from "antd";
import { useEffect, type ReactNode } from "react";

import { useTexts } from "../i18n/useLanguage";

interface PageProps {
  readonly title: string;
  readonly children: ReactNode;
}

/** A page below the menu: its place, its heading, and the title of the tab. */
export function Page({ title, children }: PageProps) {
  const { product } = useTexts().common;
  useEffect(() => {
    document.title = `${title} - ${product}`;
  }, [title, product]);
  return (
    <Flex vertical gap="middle">
      <Breadcrumb items={[{ title: product }, { title }]} />
      <Typography.Title level={1} className="page-title">
        {title}
      </Typography.Title>
      {children}
    </Flex>
  );
}
