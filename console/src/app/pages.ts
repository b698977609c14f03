import type { ComponentType } from "react";

import { lazyFile } from "../components/lazyFile";
import type { Messages } from "../i18n/messages";
import { InstancesPage } from "../instances/InstancesPage";

interface PageDefinition {
  /** Key of the page's name in `common.pages`. */
  readonly name: keyof Messages["common"]["pages"];
  /** Path below /console. */
  readonly path: string;
  readonly component: ComponentType;
}

/** Load a page of its own file when it is opened: `lazyPage(() => import("../orders/OrdersPage"))`. */
export function lazyPage(load: () => Promise<{ default: ComponentType }>): ComponentType {
  return lazyFile(load);
}

/** The pages in the order of the menu. The first one is loaded with the console. */
export const PAGES: readonly PageDefinition[] = [
  { name: "instances", path: "/", component: InstancesPage },
  { name: "forecast", path: "/forecast", component: lazyPage(() => import("../forecast/ForecastPage")) },
  { name: "orders", path: "/orders", component: lazyPage(() => import("../orders/OrdersPage")) },
  { name: "ledger", path: "/ledger", component: lazyPage(() => import("../ledger/LedgerPage")) },
  { name: "history", path: "/history", component: lazyPage(() => import("../history/HistoryPage")) },
  { name: "exports", path: "/exports", component: lazyPage(() => import("../exports/ExportsPage")) },
  { name: "calendar", path: "/calendar", component: lazyPage(() => import("../calendar/CalendarPage")) },
  { name: "webhooks", path: "/webhooks", component: lazyPage(() => import("../webhooks/WebhooksPage")) },
];
