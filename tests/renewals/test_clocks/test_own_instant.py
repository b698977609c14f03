"""All operations of a test account happen at its own instant, and the worker ignores the account (rule 37)."""

import datetime as dt

import orjson
import pytest

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew, runs
from renewals.db import connection as database
from renewals.forecasts import all_accounts, forecast
from renewals.health import backlog
from renewals.instances import lifecycle
from renewals.observability import metrics
from renewals.operators import run_now
from tests.renewals.test_clocks import lives
from tests.support import customer
from tests.support.customer import Buyer
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

CLOCK_AT = dt.datetime(2030, 1, 31, 4, tzinfo=dt.UTC)
"""Noon of 31 January 2030 in Shanghai, three years after the process's clock."""
CLOCK_TEXT = "2030-01-31T04:00:00+00:00"


@pytest.fixture
async def buyer(world: World, graphql: Client) -> Buyer:
    """Return a customer of a test account with an instance that expires on the account's current day."""
    await world.account("a", balance="1000.00", test_clock=CLOCK_AT)
    await world.instance("i-1", expires="2030-01-31", mode="AUTO", price="300.00")
    return await customer.of(world, graphql, "a")


async def test_reads_and_quotes_of_a_test_account_use_its_test_clock(world: World, buyer: Buyer) -> None:
    await world.instance("i-2", expires="2030-01-30")
    await world.voucher("10.00", expires="2030-01-30")
    await world.voucher("20.00", expires="2030-01-31")
    answer = await buyer.client(
        """{ account { testClock vouchers { available } }
             instances(filter: {status: [RUNNING], expiresWithinDays: 1}) { nodes { id } }
             late: instance(id: "i-2") { status } forecast(days: 1) { days { date dueCount } } }"""
    )
    assert answer["account"] == {"testClock": CLOCK_TEXT, "vouchers": [{"available": "20.00"}]}
    assert answer["instances"]["nodes"] == [{"id": "i-1"}]
    assert answer["late"] == {"status": "EXPIRED"}
    assert answer["forecast"]["days"] == [{"date": "2030-01-31", "dueCount": 1}]
    quoted = await buyer.quote(["i-1"])
    assert (quoted["voucherTotal"], quoted["balanceTotal"]) == ("20.00", "280.00")


async def test_changes_of_a_test_account_are_dated_by_its_test_clock(world: World, buyer: Buyer) -> None:
    renewed = await buyer.renew(["i-1"])
    assert renewed["order"]["createdAt"] == CLOCK_TEXT
    await buyer.set_policy(["i-1"], "MANUAL")
    rows = await world.rows("SELECT type, occurred_at, payload::text FROM events ORDER BY sequence")
    assert [(name, at) for name, at, _ in rows] == [
        ("instance.renewed", CLOCK_AT),
        ("policy.changed", CLOCK_AT),
    ]
    assert all(orjson.loads(payload)["testClock"] is True for *_, payload in rows)
    assert await world.rows("SELECT DISTINCT created_at FROM ledger_entries") == [(CLOCK_AT,)]


async def test_an_event_of_an_account_without_a_test_clock_has_no_test_clock_flag(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", price="300.00")
    await buyer.renew(["i-1"])
    [(at, payload)] = await world.rows("SELECT occurred_at, payload::text FROM events")
    assert at == NOW
    assert "testClock" not in orjson.loads(payload)
    assert (await graphql("{ account { testClock } }"))["account"] == {"testClock": None}


async def test_the_export_and_the_calendar_of_a_test_account_use_its_test_clock(
    world: World, buyer: Buyer
) -> None:
    headers = {"Authorization": f"Bearer {buyer.client.key}"}
    site = "http://testserver"
    exported = await buyer.client.http.get(f"{site}/export/instances.csv", headers=headers)
    assert "2030-01-31-1200" in exported.headers["content-disposition"]
    feed = await buyer.client.http.get(f"{site}/calendar.ics", headers=headers)
    assert "DTSTART;VALUE=DATE:20300131" in feed.text


async def test_the_key_of_a_test_account_expires_in_real_time(
    world: World, graphql: Client, buyer: Buyer
) -> None:
    sql = "UPDATE api_keys SET expires_at = $1"
    await database.execute(database.pool(), sql, NOW + dt.timedelta(seconds=1))
    assert await graphql("{ account { id } }")
    graphql.at(NOW + dt.timedelta(seconds=1))
    assert (await graphql.post("{ account { id } }")).status_code == 401


async def test_an_operators_changes_of_a_test_account_are_dated_by_its_test_clock(
    world: World, operator: Operator
) -> None:
    created = await operator.done(
        "createAccount", "{ account { testClock createdAt autoRenewFrom } }",
        id="t", name="T", testClock=CLOCK_TEXT,
    )  # fmt: skip
    assert created["account"] == {
        "testClock": CLOCK_TEXT, "createdAt": CLOCK_TEXT, "autoRenewFrom": CLOCK_TEXT,
    }  # fmt: skip
    await operator.done("topUp", accountId="t", amount="5.00")
    _, field, _ = await operator.refused(
        "issueVouchers",
        accountId="t",
        vouchers=[{"faceValue": "1.00", "expiresAt": "2029-12-31T00:00:00Z"}],
    )
    assert field == "input.vouchers.0.expiresAt", "the expiry is past for the account"
    assert await world.rows("SELECT created_at FROM ledger_entries") == [(CLOCK_AT,)]
    assert await world.value("SELECT max(created_at) FROM audit_log") == NOW, "the audit log is in real time"


async def test_the_operators_list_of_instances_uses_the_clock_of_each_account(
    world: World, operator: Operator
) -> None:
    query = """query ($id: ID!) { instances(accountId: $id, filter: {status: [EXPIRED]}) {
                 totalCount nodes { id status } } }"""
    await world.account("a", test_clock=CLOCK_AT)
    await world.account("b")
    for account_id in ("a", "b"):
        await world.instance(f"i-{account_id}", account=account_id, expires="2030-01-30")
    listed = (await operator(query, id="a"))["instances"]
    assert listed == {"totalCount": 1, "nodes": [{"id": "i-a", "status": "EXPIRED"}]}
    assert (await operator(query, id="b"))["instances"] == {"totalCount": 0, "nodes": []}


@pytest.mark.parametrize("later", [dt.timedelta(), dt.timedelta(days=20), dt.timedelta(days=900)])
async def test_the_worker_changes_no_row_of_a_test_account(
    world: World, buyer: Buyer, later: dt.timedelta
) -> None:
    await world.instance("i-2", expires="2030-01-20", mode="AUTO", price="5000.00")
    now = CLOCK_AT + later
    before = await world.snapshot()
    await runs.start_catch_up_run(now)
    assert await renew.renew_pending_runs(lambda: now) == []
    assert await lifecycle.expire_and_release(now) == lifecycle.LapseCounts(0, 0)
    await balance_alerts.check_changed_accounts(lambda: now)
    assert await world.snapshot() == before
    assert await world.count("renewal_attempts") == 0
    assert (await backlog.read_backlog(now))[metrics.DUE, ""] == 0
    assert (await run_now.preview_run(now)).accounts == []
    assert [nights async for nights in all_accounts.read(31, now)] == []


@pytest.mark.parametrize("time", ["22:30", "23:29", "23:30", "23:31"])
async def test_the_forecast_of_an_evening_equals_the_renewals_of_the_next_move(
    world: World, time: str
) -> None:
    await world.account("a", balance="5.00", test_clock=NOW)
    await world.instance("i-1", expires="2027-01-12", mode="AUTO", price="100.00")
    await world.instance("i-2", expires="2027-01-13", mode="AUTO", price="10.00")
    await lives.move("a", world.at(f"2027-01-12 {time}"))
    await world.top_up("500.00")
    evening = await forecast.read_forecast("a", 1, world.at(f"2027-01-12 {time}"))
    await lives.move("a", world.at("2027-01-13 00:10"))
    paid = await world.rows("SELECT instance_id, price_cents FROM order_lines")
    [day] = evening.days
    expected = zip(day.due_ids, day.due_cents, strict=True)
    assert [
        (instance_id, cents) for instance_id, cents in expected if instance_id not in day.at_risk_ids
    ] == paid
    assert day.total_cents == sum(cents for _, cents in paid)
    assert len(paid) == (time < "23:30")
