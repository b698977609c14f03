import { Flex, Layout, Spin } from "antd";
import { Suspense } from "react";
import { Route, Switch } from "wouter";

import { NotFoundPage } from "./NotFoundPage";
import { PageHeader } from "./PageHeader";
import { PageMenu } from "./PageMenu";
import { PAGES } from "./pages";

export function PageLayout() {
  return (
    <Layout className="page">
      <PageHeader />
      <Layout hasSider>
        {PAGES.length > 1 && <PageMenu />}
        <Layout.Content id="content" className="page-content" tabIndex={-1}>
          <Suspense fallback={<Waiting />}>
            <Switch>
              {PAGES.map(({ path, component: Page }) => (
                <Route key={path} path={path}>
                  <Page />
                </Route>
              ))}
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Suspense>
        </Layout.Content>
      </Layout>
    </Layout>
  );
}

function Waiting() {
  return (
    <Flex justify="center" className="waiting">
      <Spin size="large" />
    </Flex>
  );
}
