"""Requests of every kind that a key can send, with sizes close to the limits."""

import datetime as dt
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.support.fixtures import NOW

ROUND = 1_000
"""The number of the first repetition that is measured."""
Variables = Callable[[int], dict[str, Any]]


@dataclass(frozen=True)
class Operation:
    """A repeatable request; `number` distinguishes the repetitions."""

    name: str
    query: str = ""
    variables: Variables = field(default=lambda number: {})
    path: str = "/graphql"
    method: str = "POST"
    code: str | None = None
    """The expected error code."""
    rounds_to_warm: int = 1
    is_computed: bool = False
    """Whether the response is cached until the account changes."""

    def request(self, number: int) -> tuple[str, str, bytes]:
        """Return the method, the path and the body of a request."""
        if self.path != "/graphql":
            return self.method, self.path, b""
        body = {"query": self.query.replace("NUMBER", str(number)), "variables": self.variables(number)}
        return self.method, self.path, orjson.dumps(body)

    def is_answered(self, status: int, content: bytes) -> bool:
        """Return whether the response is the expected one."""
        if self.path != "/graphql":
            return status == 200
        result = orjson.loads(content)
        if self.code:
            return bool(result["errors"][0]["extensions"]["code"] == self.code)
        return not result.get("errors") and "NotRenewable" not in str(result)[:200]


PAGE = "page of 1,000"
NOTHING = Operation("nothing", path="/healthz", method="GET")
ALL = """id name billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPrice createdAt
  configuration { label value } product { code name nameZh } dataCenter { code name }"""
LINES = "lines(first: $first, offset: $offset) { instanceId startsAt expiresAt months days price }"
IDS = "[ID!]!"


def ids(count: int, step: int = 1) -> list[str]:
    """Return ids of the account's instances."""
    return [f"i-{number * step:06}" for number in range(count)]


def _page(first: int, selection: str, *more: str) -> str:
    arguments = ", ".join([f"first: {first}", *more])
    return f"{{ instances({arguments}) {selection} }}"


def operations(instances: int) -> Iterator[Operation]:
    """Yield the operations for an account with the given number of instances."""
    count_max = min(10_000, instances // 2)
    nodes = f"{{ nodes {{ {ALL} }} }}"
    yield Operation(PAGE, _page(1_000, nodes))
    yield Operation("page of 10", _page(10, nodes))
    yield Operation("page of 100", _page(100, nodes))
    yield Operation("account", "{ account { id name balance } }")
    yield Operation("account's vouchers", "{ account { vouchers { id available } } }")
    yield Operation("instance", '{ instance(id: "i-000010") { id name expiresAt } }')
    yield Operation("count", _page(1, "{ totalCount }"))
    yield Operation("page of 10 with count", _page(10, f"{{ totalCount nodes {{ {ALL} }} }}"))
    yield Operation("page of 10 by name", _page(10, "{ nodes { id } }", "orderBy: {field: NAME}"))
    yield Operation("page of 10 far away", _page(10, "{ nodes { id } }", f"offset: {instances - 100}"))
    yield Operation(
        "offset by name",
        _page(10, "{ nodes { id } }", f"offset: {instances - 100}", "orderBy: {field: NAME}"),
    )
    yield Operation(
        "search that finds nothing", _page(10, "{ nodes { id } }", 'filter: {search: "nothing-NUMBER"}')
    )
    yield Operation("search, counted", _page(10, "{ totalCount nodes { id } }", 'filter: {search: "r 1"}'))
    yield Operation("status", _page(10, "{ totalCount }", "filter: {status: [EXPIRED]}"))
    yield Operation("facets", _page(1, "{ facets { tabs { value count } } }"))
    yield Operation("facets, searched", _page(1, "{ facets { tabs { count } } }", 'filter: {search: "r 1"}'))
    yield Operation(
        "10,000 ids in a filter",
        "query ($ids: [ID!]) { instances(filter: {ids: $ids}) { totalCount } }",
        lambda number: {"ids": ids(count_max)},
    )
    yield Operation(
        "bundles",
        _page(
            20, "{ nodes { bundle { id instanceCount instances { id name } } } }", "filter: {bundled: true}"
        ),
    )
    yield Operation(
        "outlook of one", '{ instance(id: "i-000298") { outlook { willRenew } } }', is_computed=True
    )
    yield Operation(
        "outlook of a page", _page(100, "{ nodes { outlook { willRenew price } } }", "filter: {tab: AUTO}")
    )
    yield Operation("forecast of a day", "{ forecast(days: 1) { total } }", is_computed=True)
    yield Operation("forecast of 30 days", "{ forecast { total days { date total } } }", is_computed=True)
    yield Operation(
        "forecast of 366 days", "{ forecast(days: 366) { total days { date total } } }", is_computed=True
    )
    yield Operation(
        "quote of one",
        "query ($ids: [ID!]!) { quoteRenewal(input: {selection: {ids: $ids}, months: 1}) { total } }",
        lambda number: {"ids": ids(1)},
    )
    quote = """query ($ids: [ID!]!) { quoteRenewal(input: {selection: {ids: $ids}, months: 1}) {
      total lines(first: 1000) { instanceId price } } }"""
    yield Operation("quote of 1,000", quote, lambda number: {"ids": ids(1_000)})
    yield Operation("quote of 10,000", quote, lambda number: {"ids": ids(count_max)})
    yield Operation(
        "quote of a filter",
        '{ quoteRenewal(input: {selection: {matching: {filter: {products: ["kec"]}}}, months: 1}) { total } }',
    )
    yield Operation(
        "quote of unknown ids",
        quote.replace(
            "lines(first: 1000) { instanceId price }", "refusals(first: 1000) { instanceId code message }"
        ),
        lambda number: {"ids": [f"x-{number_}" for number_ in range(10_000)]},
    )
    yield Operation(
        "unify quote of 10,000",
        "query ($ids: [ID!]!) { quoteUnifyExpiry(input: {selection: {ids: $ids}, target: {dayOfMonth: 1}}) { total } }",
        lambda number: {"ids": ids(count_max)},
    )
    renew = """mutation ($ids: [ID!]!, $key: String!) {
      renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: $key}) {
      __typename ... on RenewInstancesSuccess { order { id lineCount } instances { id expiresAt } } } }"""
    yield Operation(
        "renewal of one",
        renew,
        lambda number: {"ids": [f"r-{number % 5_000:06}"], "key": f"one {number}"},
    )
    yield Operation(
        "renewal of 10,000",
        renew,
        lambda number: {"ids": [f"r-{number_:06}" for number_ in range(count_max)], "key": f"many {number}"},
    )
    policy = """mutation ($ids: [ID!]!, $mode: RenewalMode!) {
      setRenewalPolicy(input: {selection: {ids: $ids}, mode: $mode}) {
      ... on SetRenewalPolicySuccess { changedCount } } }"""
    yield Operation(
        "policy of 10,000",
        policy,
        lambda number: {"ids": ids(count_max), "mode": ("NONE", "MANUAL")[number % 2]},
        rounds_to_warm=2,
    )
    yield Operation("orders", "{ orders(first: 1000) { nodes { id total createdAt } } }")
    yield Operation(
        "orders with 1,000 lines",
        "{ orders(first: 10) { nodes { lines(first: 1000) { instanceId startsAt price } } } }",
    )
    yield Operation(
        "a line of each order", "{ orders(first: 100) { nodes { lineCount lines(first: 1) { price } } } }"
    )
    yield Operation(
        "lines far away", "{ orders(first: 10) { nodes { lines(first: 1, offset: 9000) { price } } } }"
    )
    yield Operation("ledger", "{ ledger(first: 1000) { nodes { id amount memo } } }")
    yield Operation("ledger, counted", "{ ledger(first: 1) { totalCount } }")
    yield Operation(
        "attempts and orders of a page", _page(100, "{ nodes { attempts { id } orders { id total } } }")
    )
    yield Operation("events of webhooks", "{ webhookEndpoints { id } }")
    yield Operation("catalogue", "{ products { code name } dataCenters { code } }")
    yield Operation("does not parse", "{ account { id " + " name" * 900 + "NUMBER", code="BAD_REQUEST")
    yield Operation(
        "does not fit",
        "{ account { " + " ".join(f"aNUMBER_{n}" for n in range(450)) + " } }",
        code="BAD_REQUEST",
    )
    yield Operation(
        "too dear",
        "{ instances(first: 1000) { nodes { orders(first: 1000) { idNUMBER } } } }",
        code="COST_TOO_HIGH",
    )
    yield Operation(
        "too many aliases",
        "{ account { " + " ".join(f"a{n}_NUMBER: id" for n in range(450)) + " } }",
        code="TOO_MANY_ALIASES",
    )
    yield Operation(
        "too many tokens", "{ account { " + "idNUMBER " * 20_000 + " } }", code="DOCUMENT_TOO_LARGE"
    )
    yield Operation(
        "many unused variables",
        "{ account { id } }",
        lambda number: {"unused": ["x" * 10] * 20_000},
    )
    yield Operation(
        "many variables of objects",
        "{ account { id } }",
        lambda number: {"unused": [{"a": 1}] * 25_000},
    )
    yield Operation("calendar", path="/calendar.ics", method="GET", is_computed=True)
    for table in ("instances", "orders", "ledger"):
        yield Operation(f"export of {table}", path=f"/export/{table}.csv", method="GET")
    columns = urllib.parse.quote('{"search": "nothing"}')
    yield Operation(
        "export that finds nothing", path=f"/export/instances.jsonl?filter={columns}", method="GET"
    )
    yield from _moves_of_the_clock()


def _moves_of_the_clock() -> Iterator[Operation]:
    """Yield moves of the account's test clock. They come last, because they change the account."""
    move = """mutation ($to: DateTime!, $key: String!) { advanceTestClock(input: {to: $to, idempotencyKey: $key}) {
      __typename ... on Error { message } } }"""

    def by_days(days: int) -> Variables:
        def variables(number: int) -> dict[str, Any]:
            moves = number + 1 if number < ROUND else number - ROUND + 2
            to = NOW + dt.timedelta(days=moves * days)
            return {"to": to.isoformat(), "key": f"{days} {number}"}

        return variables

    yield Operation("refused move of a clock", move, by_days(-1))
    yield Operation("three days of a clock", move, by_days(3))
