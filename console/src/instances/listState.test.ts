import { describe, expect, it } from "vitest";

import { changeListState, formatListState, INITIAL_STATE, parseListState, type ListState } from "./listState";

const FILLED: ListState = {
  tab: "AUTO",
  expiresFrom: "2027-01-15",
  expiresTo: "2027-02-28",
  products: ["eip", "kec"],
  dataCenterTypes: ["VPC"],
  statuses: ["RUNNING", "EXPIRED"],
  tags: ["env=prod", "team"],
  search: "北京 & 1%",
  page: 3,
  pageSize: 50,
  sortField: "PRODUCT",
  sortDirection: "DESC",
};

describe("the state of the list in the address", () => {
  it("is the same after a reload", () => {
    expect(parseListState(formatListState(FILLED))).toEqual(FILLED);
    expect(parseListState(formatListState(INITIAL_STATE))).toEqual(INITIAL_STATE);
  });

  it("leaves the address empty at first", () => {
    expect(formatListState(INITIAL_STATE)).toBe("");
  });

  it.each([
    "tab=OTHER&size=11&page=0&sort=PRICE&direction=UP&status=LOST",
    "page=-1&from=2027-1-1&to=2027-13-45",
    "page=1e99&from=x&size=",
    "page=2.5&product=&dataCenterType=",
  ])("ignores values that are not allowed: %s", (search) => {
    expect(parseListState(search)).toEqual(INITIAL_STATE);
  });

  it("returns to the first page when another thing than the page changes", () => {
    expect(changeListState(FILLED, { search: "x" }).page).toBe(1);
    expect(changeListState(FILLED, { page: 4 })).toEqual({ ...FILLED, page: 4 });
  });
});
