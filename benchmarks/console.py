"""The measured operation: the console's list of one large account, filtered by tab and expiry, 12 fields per row.

All contenders run the same operation. PostGraphile derives its schema from the tables, so the names in
its operation differ.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from benchmarks import data

PAGES = (10, 100, 1000)
WINDOW_DAYS = {10: 6, 100: 6, 1000: 60}
"""The number of days in the expiry filter, by page size. 6 days match about 150 instances, 60 days about 1,500."""
WINDOW_STARTS_DAYS = 30

DOCUMENT = """query Console($filter: InstanceFilter!, $first: Int!) {
  instances(filter: $filter, first: $first) {
    totalCount
    nodes {
      id name billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPrice createdAt
      product { name }
      dataCenter { name }
    }
  }
}"""

POSTGRAPHILE_DOCUMENT = """query Console($condition: InstanceCondition!, $first: Int!) {
  allInstances(condition: $condition, first: $first, orderBy: [EXPIRES_AT_ASC, ROW_ID_ASC]) {
    totalCount
    nodes {
      rowId name billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPriceCents createdAt
      productByProductCode { name }
      dataCenterByDataCenterCode { name }
    }
  }
}"""

Row = Mapping[str, Any]


def variables(page: int, today: dt.date) -> dict[str, Any]:
    return {"filter": {"tab": "AUTO", **_window(page, today)}, "first": page}


def postgraphile_variables(page: int, today: dt.date) -> dict[str, Any]:
    tab = {"accountId": data.LARGE_ACCOUNT, "renewalMode": "AUTO", "isManageable": True}
    return {"condition": tab | _window(page, today), "first": page}


def rows(answer: Mapping[str, Any]) -> tuple[int, list[Row]]:
    """Return the total count and the rows of a response, with their instants parsed."""
    result = answer["data"]["instances"]
    return result["totalCount"], [_with_instants(node) for node in result["nodes"]]


def postgraphile_rows(answer: Mapping[str, Any]) -> tuple[int, list[Row]]:
    """Return the total count and the rows of PostGraphile's response, in the form that `rows` returns."""
    result = answer["data"]["allInstances"]
    return result["totalCount"], [_renamed(node) for node in result["nodes"]]


def _window(page: int, today: dt.date) -> dict[str, str]:
    starts = dt.datetime.combine(today + dt.timedelta(days=WINDOW_STARTS_DAYS), dt.time(16), dt.UTC)
    ends = starts + dt.timedelta(days=WINDOW_DAYS[page])
    return {"expiresFrom": starts.isoformat(), "expiresBefore": ends.isoformat()}


def _with_instants(node: Row) -> Row:
    instants = {name: dt.datetime.fromisoformat(node[name]) for name in ("expiresAt", "createdAt")}
    return {**node, **instants}


def _renamed(node: Row) -> Row:
    row = dict(node)
    row["id"] = row.pop("rowId")
    cents = int(row.pop("monthlyPriceCents"))
    row["monthlyPrice"] = f"{cents // 100}.{cents % 100:02}"
    row["product"] = row.pop("productByProductCode")
    row["dataCenter"] = row.pop("dataCenterByDataCenterCode")
    return _with_instants(row)
