import type {
  InstanceOrderField,
  InstanceStatus,
  OrderDirection,
  RenewalTab,
} from "../api/generated/graphql";
import { parseDay } from "../components/period";
import type { Day } from "../format/time";

/** What the list shows: all of it is in the address, so that a link or a reload shows the same. */
export interface ListState {
  readonly tab: RenewalTab;
  readonly expiresFrom: Day | null;
  readonly expiresTo: Day | null;
  readonly products: readonly string[];
  readonly dataCenterTypes: readonly string[];
  readonly statuses: readonly InstanceStatus[];
  /** Each as key or key=value. */
  readonly tags: readonly string[];
  readonly search: string;
  readonly page: number;
  readonly pageSize: number;
  readonly sortField: InstanceOrderField;
  readonly sortDirection: OrderDirection;
}

export const TABS: readonly RenewalTab[] = ["MANUAL", "AUTO", "NONE", "NO_EXPIRY"];
export const PAGE_SIZES: readonly number[] = [10, 20, 50, 100];

const STATUSES: readonly InstanceStatus[] = ["RUNNING", "EXPIRED", "RELEASED"];
const FIELDS: readonly InstanceOrderField[] = ["EXPIRES_AT", "CREATED_AT", "NAME", "PRODUCT", "ID"];
const DIRECTIONS: readonly OrderDirection[] = ["ASC", "DESC"];

export const INITIAL_STATE: ListState = {
  tab: "MANUAL",
  expiresFrom: null,
  expiresTo: null,
  products: [],
  dataCenterTypes: [],
  statuses: [],
  tags: [],
  search: "",
  page: 1,
  pageSize: 10,
  sortField: "EXPIRES_AT",
  sortDirection: "ASC",
};

/** Return the state in an address. A value that is not allowed counts as absent. */
export function parseListState(search: string): ListState {
  const params = new URLSearchParams(search);
  const list = (name: string) => params.getAll(name).filter((value) => value !== "");
  return {
    tab: oneOf(TABS, params.get("tab")) ?? INITIAL_STATE.tab,
    expiresFrom: parseDay(params.get("from")),
    expiresTo: parseDay(params.get("to")),
    products: list("product"),
    dataCenterTypes: list("dataCenterType"),
    statuses: list("status").flatMap((value) => oneOf(STATUSES, value) ?? []),
    tags: list("tag"),
    search: params.get("search") ?? "",
    page: parsePage(params.get("page")),
    pageSize: oneOf(PAGE_SIZES, Number(params.get("size"))) ?? INITIAL_STATE.pageSize,
    sortField: oneOf(FIELDS, params.get("sort")) ?? INITIAL_STATE.sortField,
    sortDirection: oneOf(DIRECTIONS, params.get("direction")) ?? INITIAL_STATE.sortDirection,
  };
}

/** Return the query string of a state, without what is as at first. */
export function formatListState(state: ListState): string {
  const params = new URLSearchParams();
  const add = (name: string, value: string | number | null, initial: string | number | null) => {
    if (value !== null && value !== initial) params.append(name, String(value));
  };
  add("tab", state.tab, INITIAL_STATE.tab);
  add("from", state.expiresFrom, null);
  add("to", state.expiresTo, null);
  for (const code of state.products) params.append("product", code);
  for (const code of state.dataCenterTypes) params.append("dataCenterType", code);
  for (const status of state.statuses) params.append("status", status);
  for (const tag of state.tags) params.append("tag", tag);
  add("search", state.search, "");
  add("page", state.page, INITIAL_STATE.page);
  add("size", state.pageSize, INITIAL_STATE.pageSize);
  add("sort", state.sortField, INITIAL_STATE.sortField);
  add("direction", state.sortDirection, INITIAL_STATE.sortDirection);
  return params.toString();
}

/** Return the state after a change. Whatever changes which rows there are leads back to the first page. */
export function changeListState(state: ListState, change: Partial<ListState>): ListState {
  return { ...state, page: INITIAL_STATE.page, ...change };
}

function oneOf<Value>(allowed: readonly Value[], value: unknown): Value | null {
  return allowed.find((candidate) => candidate === value) ?? null;
}

function parsePage(text: string | null): number {
  const page = Number(text ?? "");
  return Number.isSafeInteger(page) && page >= 1 ? page : INITIAL_STATE.page;
}
