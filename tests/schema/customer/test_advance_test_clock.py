"""advanceTestClock: the events of a month in one call, for test accounts only (rule 37)."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew
from renewals.domain import clock as clocks
from renewals.test_clocks import advance
from tests.support import customer
from tests.support.customer import Buyer
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

ADVANCE = """mutation ($to: DateTime!, $key: String!) {
  advanceTestClock(input: {to: $to, idempotencyKey: $key}) { __typename
    ... on AdvanceTestClockSuccess { account { testClock balance } renewedCount refusedCount expiredCount releasedCount
      events { sequence type occurredAt instanceId } }
    ... on Error { message } ... on InvalidInput { field } } }"""


@pytest.fixture
async def buyer(world: World, graphql: Client) -> Buyer:
    """Return a customer of a test account with three instances: one to renew, one without money, and one by hand."""
    await world.account("a", balance="350.00", test_clock=NOW)
    await world.instance("i-auto", expires="2027-01-12", mode="AUTO", price="300.00")
    await world.instance("i-dear", expires="2027-01-13", mode="AUTO", price="999.00")
    await world.instance("i-hand", expires="2027-01-14", product="ebs")
    return await customer.of(world, graphql, "a")


async def move(buyer: Buyer, to: str, key: str = "key") -> dict[str, Any]:
    result: dict[str, Any] = (await buyer.client(ADVANCE, to=to, key=key))["advanceTestClock"]
    return result


async def test_a_move_of_a_test_clock_renews_expires_and_releases_instances_like_the_worker(
    world: World, buyer: Buyer
) -> None:
    result = await move(buyer, "2027-02-01T12:00:00+08:00")
    events = result.pop("events")
    assert result == {
        "__typename": "AdvanceTestClockSuccess",
        "account": {"testClock": "2027-02-01T04:00:00+00:00", "balance": "50.00"},
        "renewedCount": 1,
        "refusedCount": 24,
        "expiredCount": 2,
        "releasedCount": 2,
    }
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    without_reminders = [event for event in events if event["type"] != "instance.expiring"]
    assert [(event["type"], event["instanceId"], event["occurredAt"]) for event in without_reminders] == [
        ("account.shortfall", None, "2027-01-10T04:30:00+00:00"),
        ("instance.renewed", "i-auto", "2027-01-11T16:30:00+00:00"),
        ("instance.renewal_failed", "i-dear", "2027-01-12T16:30:00+00:00"),
        ("instance.expired", "i-dear", "2027-01-13T16:30:00+00:00"),
        ("instance.expired", "i-hand", "2027-01-14T16:30:00+00:00"),
        ("instance.released", "i-dear", "2027-01-20T16:30:00+00:00"),
        ("instance.released", "i-hand", "2027-01-21T16:30:00+00:00"),
        ("account.shortfall", None, "2027-01-28T16:30:00+00:00"),
    ]
    triggers = await world.rows("SELECT trigger, count(*) FROM renewal_runs GROUP BY 1")
    assert triggers == [("TEST_CLOCK", 25)]
    failed_attempts = (
        "SELECT count(*) FROM renewal_attempts WHERE instance_id = 'i-dear' AND code = 'INSUFFICIENT_FUNDS'"
    )
    assert await world.value(failed_attempts) == 24


async def test_the_same_key_returns_the_first_result_and_another_request_is_refused(
    world: World, buyer: Buyer
) -> None:
    first = await move(buyer, "2027-01-12T12:00:00+08:00")
    before = await world.snapshot()
    assert await move(buyer, "2027-01-12T12:00:00+08:00") == first
    refused = await move(buyer, "2027-01-13T12:00:00+08:00")
    assert refused["__typename"] == "IdempotencyKeyReused"
    assert await world.snapshot() == before


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("2027-01-10T12:00:00+08:00", "must be after 2027-01-10T04:00:00+00:00"),
        ("2027-01-09T12:00:00+08:00", "must be after 2027-01-10T04:00:00+00:00"),
        ("2029-01-10T12:00:01+08:00", "not after 2029-01-10T04:00:00+00:00 (24 months later)"),
        ("2300-01-10T12:00:01+08:00", "must be between 2000-01-01 and 2199-12-31, not 2300-01-10"),
    ],
)
async def test_a_test_clock_cannot_move_back_or_by_more_than_two_years(
    world: World, buyer: Buyer, to: str, message: str
) -> None:
    before = await world.snapshot()
    result = await move(buyer, to)
    assert (result["__typename"], result["field"]) == ("InvalidInput", "input.to")
    assert message in result["message"]
    assert await world.snapshot() == before


async def test_the_time_of_an_account_without_a_test_clock_cannot_be_moved(
    world: World, graphql: Client
) -> None:
    await customer.open_account(world, graphql)
    before = await world.snapshot()
    [error] = await graphql.errors(ADVANCE, to="2027-02-01T12:00:00+08:00", key="key")
    assert error["extensions"] == {"code": "FORBIDDEN"}
    assert (
        error["message"]
        == "The account has no test clock, so nothing was changed. Only the time of a test account can be moved."
    )
    assert await world.snapshot() == before


async def test_an_api_key_moves_only_the_test_clock_of_its_own_account(world: World, buyer: Buyer) -> None:
    await world.account("b", test_clock=NOW)
    await world.instance("b-1", account="b", expires="2027-01-11")
    await move(buyer, "2027-01-20T12:00:00+08:00")
    assert await world.value("SELECT test_clock FROM accounts WHERE id = 'b'") == NOW
    assert (await world.read("b-1")).status == "RUNNING"


async def test_a_move_that_timed_out_is_continued_and_the_same_key_returns_its_result(
    world: World, buyer: Buyer, settings_override: Callable[..., None]
) -> None:
    settings_override(request_seconds_max=0.05)
    buyer.client.language = "zh"
    [error] = await buyer.client.errors(ADVANCE, to="2027-02-01T12:00:00+08:00", key="key")
    assert error["extensions"]["code"] == "TIMEOUT"
    assert error["message"].startswith("测试时钟当前为 ")
    buyer.client.language = None
    refused = await move(buyer, "2027-01-15T12:00:00+08:00", key="other")
    assert (refused["__typename"], refused["field"]) == ("InvalidInput", "input.idempotencyKey")
    settings_override(request_seconds_max=30)
    later = clocks.utc_now() + dt.timedelta(days=999)
    [move_id] = await advance.list_abandoned(lambda: later)
    await advance.continue_abandoned(move_id, clocks.utc_now, seconds_max=60)
    result = await move(buyer, "2027-02-01T12:00:00+08:00")
    assert (result["renewedCount"], result["expiredCount"]) == (1, 2)


async def test_a_move_continues_after_an_error_in_the_renewals_and_records_the_error(
    world: World, buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(renew, "plan_due", fail)
    result = await move(buyer, "2027-01-14T12:00:00+08:00")
    assert (result["renewedCount"], result["expiredCount"]) == (0, 2)
    rows = await world.rows("SELECT DISTINCT error FROM renewal_chunks")
    assert rows == [("ZeroDivisionError: defect",)]


async def test_a_move_renews_instances_but_sends_no_reminder_if_the_balance_check_fails(
    monkeypatch: pytest.MonkeyPatch, world: World, buyer: Buyer
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("defect")

    monkeypatch.setattr(balance_alerts, "find_failing", fail)
    result = await move(buyer, "2027-01-14T12:00:00+08:00")
    assert (result["__typename"], result["renewedCount"]) == ("AdvanceTestClockSuccess", 1)
    assert await world.value("SELECT count(*) FROM events WHERE type = 'instance.expiring'") == 0
