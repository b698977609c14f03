"""One account whose ids are tried, and two equal accounts, the twins, that try them.

The twins send the same requests, except that one names objects of the other account, and the second names objects that
do not exist. As long as both receive the same responses, the twins stay equal. So calls that change the caller can be
compared, too.
"""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from renewals.accounts import api_keys
from renewals.accounts import queries as accounts_queries
from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.db import pagination
from renewals.domain import model
from renewals.events import event_log
from renewals.events import queries as events_queries
from renewals.instances import queries as instances_queries
from renewals.operators import queries as operators_queries
from renewals.orders import queries as orders_queries
from tests.isolation.names import PLAIN, THEIRS, TWINS, USED, VALUES, kind_of
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

EVENTS = 500
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_AMOUNT = re.compile(r"\d{3,}\.(?!00)\d\d")


@dataclass
class Stock:
    """An account's objects, by kind."""

    account_id: str
    key: str = ""
    viewer_key: str = ""
    calendar_key: str = ""
    things: dict[str, list[Any]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def own(self, coordinate: str) -> Any:
        """Return the value that is sent at a coordinate that is not under test."""
        word = coordinate.rpartition(".")[2]
        if word in VALUES:
            return VALUES[word]
        kind = kind_of(coordinate)
        if kind == "idempotency key":
            return f"{self.account_id} {next(self.numbers)}"
        return PLAIN[word] if kind is None else self.things[kind][0]


async def open_accounts(world: World, operator: Operator) -> dict[str, Stock]:
    """Open the accounts, fill their tables, and return their objects."""
    stocks = {}
    for account_id in (THEIRS, *TWINS):
        stocks[account_id] = await _open(world, operator, account_id)
    await renew.run_at(world.at("2027-01-31 00:30", account=THEIRS))
    await balance_alerts.check_changed_accounts(lambda: world.at("2027-01-31 01:00", account=THEIRS))
    for stock in stocks.values():
        await _take_stock(world, stock)
    return stocks


async def _open(world: World, operator: Operator, account_id: str) -> Stock:
    is_theirs = account_id == THEIRS
    price = "777.77" if is_theirs else "1.00"
    await world.account(account_id, balance="98765.43" if is_theirs else "50000.00")
    await world.voucher("100.11" if is_theirs else "100.00", account=account_id)
    await world.instances([f"{account_id}-i-{n}" for n in range(3)], account=account_id, price=price)
    members = [f"{account_id}-m-{n}" for n in range(2)]
    await world.instances(
        members, account=account_id, bundle=f"{account_id}-bundle", price=price, expires="2027-06-30"
    )
    await world.instance(f"{account_id}-trial", account=account_id, trial=True, price=price)
    await world.instance(f"{account_id}-auto", account=account_id, mode="AUTO", price=price)
    if is_theirs:
        await world.instance(f"{account_id}-kes", account=account_id, product="kes", data_center="sh-own")
    stock = Stock(account_id, await world.key(account_id), await world.key(account_id, role="VIEWER"))
    async with database.transaction() as connection:
        stock.calendar_key = await api_keys.create(connection, account_id, NOW, role=model.Role.CALENDAR)
    customer = Client()
    customer.key = stock.key
    if is_theirs:
        customer.at(NOW + dt.timedelta(hours=1))  # so that the twins' orders are on the same side of a cursor
    async with customer.http:
        months_input = {"selection": {"ids": [f"{account_id}-i-0"]}, "months": 1}
        renewed = await _do(
            customer, "renewInstances", "{ order { id } }", idempotencyKey=f"{account_id} 1", **months_input
        )
        if is_theirs:
            await operator.done("refundOrder", orderId=renewed["order"]["id"], reason="Outage")
            await _use_keys(customer)
        url = "https://hooks.example.com/"
        await _do(customer, "createWebhookEndpoint", idempotencyKey=f"{account_id} 1", url=url)
    async with database.transaction() as connection:
        draft = event_log.NewEvent(
            account_id, event_log.EventType.POLICY_CHANGED, f"{account_id}-i-0", {"of": account_id}
        )
        await event_log.append_events(connection, [draft] * (EVENTS if is_theirs else 3), NOW, model.WORKER)
    await world.rows(
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, parked_at)
           SELECT id, account_id, 1, account_id, 13, $2 FROM webhook_endpoints WHERE account_id = $1""",
        account_id,
        NOW,
    )
    return stock


async def _use_keys(customer: Client) -> None:
    """Make one call with each idempotency key."""
    selection_input: dict[str, Any] = {"selection": {"ids": [f"{THEIRS}-i-1"]}}
    await _do(
        customer, "renewInstances", idempotencyKey=f"{USED} RenewInstancesInput", months=1, **selection_input
    )
    until: dict[str, Any] = {"target": {"date": "2027-04-30"}}
    await _do(customer, "unifyExpiry", idempotencyKey=f"{USED} UnifyExpiryInput", **until, **selection_input)
    url = f"https://{THEIRS}.example.com/"
    key = f"{USED} CreateWebhookEndpointInput"
    created = await _do(customer, "createWebhookEndpoint", "{ endpoint { id } }", idempotencyKey=key, url=url)
    key = f"{USED} RotateWebhookSecretInput"
    await _do(customer, "rotateWebhookSecret", idempotencyKey=key, id=created["endpoint"]["id"])


async def _do(customer: Client, verb: str, select: str = "", **sent: Any) -> dict[str, Any]:
    name = verb[0].upper() + verb[1:]
    query = f"""mutation($input: {name}Input!) {{ {verb}(input: $input) {{
      __typename ... on {name}Success {select or "{ __typename }"} ... on Error {{ message }} }} }}"""
    result: dict[str, Any] = (await customer(query, input=sent))[verb]
    assert result["__typename"] == f"{name}Success", result
    return result


async def _take_stock(world: World, stock: Stock) -> None:
    """Return the account's objects by kind. The first object of a kind is tried first."""
    account_id = stock.account_id

    async def column(sql: str) -> list[Any]:
        return [value for (value,) in await world.rows(sql, account_id)]

    instances = await column("SELECT id FROM instances WHERE account_id = $1 ORDER BY id")
    orders = await database.fetch(
        database.pool(), "SELECT id, created_at FROM orders WHERE account_id = $1 ORDER BY id", account_id
    )
    entries = await column("SELECT number FROM ledger_entries WHERE account_id = $1 AND voucher_id IS NULL")
    cursor_row = {"id": f"{account_id}-i-0", "expires_at": world.end_of("2027-01-31", account=account_id)}
    ordering = instances_queries.instance_ordering(
        instances_queries.InstanceOrderField.EXPIRES_AT, descending=False
    )
    stock.things = {
        "account": [account_id],
        "instance": instances,
        "bundle": await column("SELECT id FROM bundles WHERE account_id = $1"),
        "name": [
            f"Instance {account_id}-i",
            f"{account_id}-i",
            f"Account {account_id}",
            f"{account_id}-trial",
        ],
        "order": [str(row["id"]) for row in orders],
        "instance cursor": [pagination.encode_cursor(ordering, cursor_row)],
        "order cursor": [pagination.encode_cursor(orders_queries.ORDERS, row) for row in orders[:1]],
        "ledger cursor": [
            pagination.encode_cursor(accounts_queries.LEDGER, {"number": number}) for number in entries[:1]
        ],
        "event cursor": [pagination.encode_cursor(events_queries.EVENTS, {"sequence": 2})],
        "endpoint": [
            str(endpoint_id)
            for endpoint_id in await column("SELECT id FROM webhook_endpoints WHERE account_id = $1")
        ],
        # The twins' events, whose number grows during the walk, do not reach these numbers.
        "sequence": [EVENTS - 50, EVENTS] if account_id == THEIRS else [1],
        "idempotency key": [USED],
        "key": [
            str(endpoint_id) for endpoint_id in await column("SELECT id FROM api_keys WHERE account_id = $1")
        ],
        "prefix": await column("SELECT prefix FROM api_keys WHERE account_id = $1"),
        "account cursor": [pagination.encode_cursor(operators_queries.ACCOUNTS, {"id": account_id})],
        "audit cursor": [pagination.encode_cursor(operators_queries.AUDIT_LOG, {"id": 1})],
        "run": [str(await world.value("SELECT max(id) FROM renewal_runs"))],
        "product": ["kes"] if account_id == THEIRS else ["eip"],
        "data center type": ["DEDICATED"] if account_id == THEIRS else ["VPC"],
        "data center": ["sh-own"] if account_id == THEIRS else ["bj-6"],
    }


class Digest:
    """All rows of an account in all tables, and the rows that share an id with them."""

    def __init__(self, tables: list[str], names: frozenset[str]) -> None:
        self.names = names
        row = (
            f"SELECT '{table}' AS name, md5(string_agg(t::text, ' ' ORDER BY t::text)) AS sum, count(*) AS count "
            f"FROM {table} t WHERE t::text LIKE ANY($1)"
            for table in tables
        )
        self._sql = " UNION ALL ".join(row)
        self._patterns = [f"%{name}%" for name in sorted(names)]

    async def take(self) -> dict[str, tuple[str | None, int]]:
        rows = await database.fetch(database.pool(), self._sql, self._patterns)
        return {name: (total, count) for name, total, count in map(tuple, rows)}


async def digest_of(world: World, account_id: str, *, but: tuple[str, ...] = ()) -> Digest:
    """Return the digest of an account."""
    names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
    tables = [
        str(name)
        for (name,) in await world.rows(names)
        if name not in ("tortoise_migrations", "accounts_pkey", *but)
    ]
    texts = {
        table: [str(text) for (text,) in await world.rows(f"SELECT t::text FROM {table} t")]
        for table in tables
    }
    known, grown = set[str](), {account_id}
    while grown != known:
        known = set(grown)
        pattern = re.compile("|".join(map(re.escape, known)))
        for table, rows in texts.items():
            # An audit entry names the operator's key, which is also in the entries of other accounts.
            if table != "audit_log":
                grown.update(
                    uuid_text for row in rows if pattern.search(row) for uuid_text in UUID.findall(row)
                )
    return Digest(tables, frozenset(known))


def words_of(response: object) -> Iterator[str]:
    """Return the texts that occur only in this account's responses: its names, its UUIDs, and its unusual amounts."""
    match response:
        case dict():
            for item in response.values():
                yield from words_of(item)
        case list():
            for item in response:
                yield from words_of(item)
        case str() if THEIRS in response or UUID.search(response) or _AMOUNT.fullmatch(response):
            yield response


def alike(text: str, tried: Iterable[Any]) -> str:
    """Return a response without the permitted differences: the tried ids, the twins' names, new ids and secrets."""
    for value in tried:
        item = value[0] if isinstance(value, list) else value
        if isinstance(item, str):
            text = text.replace(json_of(item), "<tried>").replace(item, "<tried>")
        else:
            text = re.sub(rf"\b{item}\b", "<tried>", text)
    text = re.sub(r'"(cursor|startCursor|endCursor)":"[^"]*"', r'"\1":"<cursor>"', text)
    text = re.sub(r"tenant-b[12]", "tenant-b", text)
    text = re.sub(r"(whsec|rk)_[\w+/=-]+", "<secret>", text)
    return UUID.sub("<uuid>", text)


def json_of(value: Any) -> str:
    """Return a value as JSON without quotes, as it occurs within a response."""
    return orjson.dumps(value).decode().strip('"')
