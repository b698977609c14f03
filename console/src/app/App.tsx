import { ConfigProvider } from "antd";
import enUS from "antd/locale/en_US";
import zhCN from "antd/locale/zh_CN";
import dayjs from "dayjs";
import "dayjs/locale/zh-cn";
import { Suspense, useEffect } from "react";
import { Router } from "wouter";

import { ApiProvider } from "../api/ApiProvider";
import { lazyFile } from "../components/lazyFile";
import { LoadBoundary } from "../components/LoadBoundary";
import { LabelProvider } from "../i18n/LabelProvider";
import { useLanguage } from "../i18n/useLanguage";
import { InstanceListProvider } from "../instances/InstanceListProvider";
import { useSession } from "../session/useSession";
import { AccountProvider } from "./AccountProvider";
import { PageLayout } from "./PageLayout";
import { themeFor } from "./theme";
import { useReducesMotion } from "./useReducesMotion";

const SignIn = lazyFile(() => import("../session/SignIn"));

const ANT_LOCALES = { zh: zhCN, en: enUS };
const DAYJS_LOCALES = { zh: "zh-cn", en: "en" };

/** The console: the sign-in without a session, or else its pages. */
export function App() {
  const { language } = useLanguage();
  const session = useSession();
  const theme = themeFor(useReducesMotion());
  useEffect(() => {
    dayjs.locale(DAYJS_LOCALES[language]);
  }, [language]);
  return (
    <ConfigProvider locale={ANT_LOCALES[language]} theme={theme}>
      {session.token === null ? (
        <LoadBoundary>
          <Suspense>
            <SignIn reason={session.reason} />
          </Suspense>
        </LoadBoundary>
      ) : (
        <ApiProvider token={session.token}>
          <LabelProvider>
            <Router base={import.meta.env.BASE_URL.replace(/\/$/, "")}>
              <InstanceListProvider>
                <AccountProvider>
                  <PageLayout />
                </AccountProvider>
              </InstanceListProvider>
            </Router>
          </LabelProvider>
        </ApiProvider>
      )}
    </ConfigProvider>
  );
}
