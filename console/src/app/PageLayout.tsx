import { Flex, Grid, Layout, Spin } from "antd";
import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";

import { InstanceDrawerHost } from "../drawer/InstanceDrawerHost";
import { useAccount } from "./account";
import { NotFoundPage } from "./NotFoundPage";
import { PageHeader } from "./PageHeader";
import { PageMenu } from "./PageMenu";
import { PAGES } from "./pages";

const ClockBar = lazy(() => import("../clock/ClockBar"));

export function PageLayout() {
  const { testClock } = useAccount();
  const isAbove = !(Grid.useBreakpoint().lg ?? true);
  return (
    <Layout className="page">
      <PageHeader />
      {testClock !== null && (
        <Suspense>
          <ClockBar />
        </Suspense>
      )}
      <Layout hasSider={!isAbove}>
        <PageMenu isAbove={isAbove} />
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
