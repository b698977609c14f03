import { Flex, Grid, Layout, Spin } from "antd";
import { Suspense } from "react";
import { Route, Switch } from "wouter";

import { lazyFile } from "../components/lazyFile";
import { LoadBoundary } from "../components/LoadBoundary";
import { InstanceDrawerHost } from "../drawer/InstanceDrawerHost";
import { useTexts } from "../i18n/useLanguage";
import { useAccount } from "./account";
import { NotFoundPage } from "./NotFoundPage";
import { PageHeader } from "./PageHeader";
import { PageMenu } from "./PageMenu";
import { PAGES } from "./pages";

const ClockBar = lazyFile(() => import("../clock/ClockBar"));

export function PageLayout() {
  const { pages } = useTexts().common;
  const { testClock } = useAccount();
  const isAbove = !(Grid.useBreakpoint().lg ?? true);
  return (
    <Layout className="page">
      <PageHeader />
      {testClock !== null && (
        <LoadBoundary>
          <Suspense>
            <ClockBar />
          </Suspense>
        </LoadBoundary>
      )}
      <Layout hasSider={!isAbove}>
        <PageMenu isAbove={isAbove} />
        <Layout.Content id="content" className="page-content" tabIndex={-1}>
          <Suspense fallback={<Waiting />}>
            <Switch>
              {PAGES.map(({ name, path, component: Page }) => (
                <Route key={path} path={path}>
                  <LoadBoundary title={pages[name]}>
                    <Page />
                  </LoadBoundary>
                </Route>
              ))}
              <Route>
                <NotFoundPage />
              </Route>
            </Switch>
          </Suspense>
        </Layout.Content>
      </Layout>
      <InstanceDrawerHost />
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
