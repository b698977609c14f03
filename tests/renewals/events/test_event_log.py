"""The events of each change are appended in its transaction, and numbered without gaps (rule 25)."""

import asyncio
import contextlib
import datetime as dt
from typing import Any

import orjson
import pytest

from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.domain import errors, model, planning
from renewals.events import event_log, pubsub
from renewals.instances import lifecycle, policy, selection
from renewals.orders import place_order, requests
from tests.support import integrity
from tests.support.fixtures import NOW, World

AUTO = model.RenewalMode.AUTO
FEBRUARY, MARCH = "2027-02-28T15:59:59+00:00", "2027-03-31T15:59:59+00:00"


async def told(world: World, account: str = "a") -> list[tuple[str, str | None]]:
    """Return the type and the instance of each event, in order; check that the numbers start at 1 without gaps."""
    found = await world.rows(
        "SELECT sequence, type, instance_id FROM events WHERE account_id = $1 ORDER BY sequence", account
    )
    assert [sequence for sequence, *_ in found] == list(range(1, len(found) + 1))
    return [(happened, instance_id) for _, happened, instance_id in found]


async def payload(world: World, sequence: int, account: str = "a") -> Any:
    sql = "SELECT payload::text FROM events WHERE account_id = $1 AND sequence = $2"
    return orjson.loads(await world.value(sql, account, sequence))


async def admitted() -> bool:
    return True


def build_request(*ids: str, key: str = "key", to: planning.UnifyToDate | None = None, **more: Any) -> Any:
    return requests.OrderRequest(selection.ById(ids), to or planning.RenewFor(1), idempotency_key=key, **more)


async def set_policy(*ids: str, mode: model.RenewalMode = AUTO, months: int = 1) -> None:
    await policy.set_policy(
        "a", policy.PolicyRequest(selection.ById(ids), mode, auto_renew_months=months), lambda: NOW
    )


async def test_a_renewal_by_hand_is_told_with_its_order_period_and_price(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    placed = await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await told(world) == [("instance.renewed", "i-1")]
    assert await payload(world, 1) == {
        "orderId": str(placed.order_id),
        "orderKind": "MANUAL_RENEWAL",
        "startsAt": "2027-01-31T15:59:59+00:00",
        "expiresAt": FEBRUARY,
        "months": 1,
        "days": 0,
        "price": "300.00",
    }
    assert await world.value("SELECT occurred_at FROM events") == NOW


async def test_a_unified_expiry_is_told_as_that(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="310.00")
    to = planning.UnifyToDate(dt.date(2027, 3, 10))
    await place_order.place_order("a", build_request("i-1", to=to), lambda: NOW)
    assert await told(world) == [("expiry.unified", "i-1")]
    about = await payload(world, 1)
    assert (about["months"], about["days"], about["price"]) == (1, 10, "410.00")


async def test_the_first_answer_given_again_is_not_told_again(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", price="300.00")
    for _ in range(2):
        await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await told(world) == [("instance.renewed", "i-1")]


@pytest.mark.parametrize(
    "kind", [errors.InsufficientFundsError, errors.PriceChangedError, errors.NotRenewableError]
)
async def test_a_refusal_tells_nothing_and_takes_no_number(
    world: World, kind: type[errors.DomainError]
) -> None:
    await world.account("a", balance="300.00")
    await world.instance("i-1", price="300.00")
    await world.instance("i-2", price="300.01")
    refused = {
        errors.InsufficientFundsError: build_request("i-2"),
        errors.PriceChangedError: build_request("i-1", expected_total_cents=1),
        errors.NotRenewableError: build_request("i-1", "nobody"),
    }
    with pytest.raises(kind):
        await place_order.place_order("a", refused[kind], lambda: NOW)
    assert await told(world) == []
    await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await told(world) == [("instance.renewed", "i-1")]


async def test_a_policy_is_told_where_it_changed_with_what_it_was(world: World) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    await world.instance("i-3", mode="AUTO")
    await set_policy("i-1", "i-2", "i-3")
    await set_policy("i-1", months=3)
    await set_policy("i-1", mode=model.RenewalMode.NONE)
    assert await told(world) == [("policy.changed", i) for i in ("i-1", "i-2", "i-1", "i-1")]
    assert [await payload(world, n) for n in (1, 3, 4)] == [
        {
            "before": {"renewalMode": before, "autoRenewMonths": before_months},
            "after": {"renewalMode": after, "autoRenewMonths": after_months},
        }
        for before, before_months, after, after_months in (
            ("MANUAL", 1, "AUTO", 1),
            ("AUTO", 1, "AUTO", 3),
            ("AUTO", 3, "NONE", 3),
        )
    ]


async def test_a_night_tells_what_it_renewed_and_what_it_could_not(world: World) -> None:
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    await world.instance("i-2", expires="2027-01-31", mode="AUTO", price="500.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    assert await told(world) == [("instance.renewed", "i-1"), ("instance.renewal_failed", "i-2")]
    assert (await payload(world, 1))["orderKind"] == "AUTO_RENEWAL"
    about = await payload(world, 2)
    assert (about["code"], about["dueAt"], about["expiresAt"]) == (
        "INSUFFICIENT_FUNDS",
        "2027-01-30T16:30:00+00:00",
        "2027-01-31T15:59:59+00:00",
    )
    assert "500.00" in about["message"]


async def test_a_failure_is_told_once_for_each_due_and_reason_not_every_hour(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    for hour in range(20):
        await renew.run_at(world.at(f"2027-01-31 {hour:02}:30"))
    failed = [("instance.renewal_failed", "i-1")]
    assert await told(world) == failed
    await world.top_up("300.00")
    await renew.run_at(world.at("2027-01-31 20:30"))
    assert await told(world) == [*failed, ("instance.renewed", "i-1")]
    await renew.run_at(world.at("2027-02-28 00:30"))
    assert await told(world) == [*failed, ("instance.renewed", "i-1"), *failed]


async def test_what_the_clock_does_is_told_once(world: World) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("i-1", expires="2027-01-31", product="ebs", mode="AUTO")
    await world.instance("i-2", expires="2027-01-31", product="ebs", account="b")
    for day in ("2027-02-01", "2027-02-01", "2027-12-01"):
        await lifecycle.expire_and_release(world.at(f"{day} 12:00"))
    for account, instance_id, mode in (("a", "i-1", "AUTO"), ("b", "i-2", "MANUAL")):
        both = [("instance.expired", instance_id), ("instance.released", instance_id)]
        assert await told(world, account) == both
        about = {"expiresAt": "2027-01-31T15:59:59+00:00", "renewalMode": mode}
        assert [await payload(world, n, account) for n in (1, 2)] == [about, about]


@pytest.mark.parametrize("noted", [True, False])
async def test_what_comes_back_to_life_is_told_to_have_expired_first(world: World, noted: bool) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.instance("i-2", expires="2027-02-20", price="300.00")
    await world.instance("other", expires="2027-01-31")
    now = world.at("2027-02-01 00:00:30")
    if noted:
        await lifecycle.expire_and_release(now)
    before = await told(world)
    await place_order.place_order("a", build_request("i-1", "i-2"), lambda: now)
    first = [] if noted else [("instance.expired", "i-1")]
    restored = [("instance.renewed", "i-1"), ("instance.restored", "i-1")]
    assert (await told(world))[len(before) :] == [*first, *restored, ("instance.renewed", "i-2")]
    await lifecycle.expire_and_release(now)
    assert (await told(world)).count(("instance.expired", "i-1")) == 1


async def test_two_accounts_are_numbered_apart_and_in_the_order_of_the_renewals(world: World) -> None:
    for account in "ab":
        await world.account(account, balance="1000.00")
        ids = [f"{account}-{n}" for n in range(5)]
        await world.instances(ids, account=account, expires="2027-01-31", mode="AUTO", price="1.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    for account in "ab":
        renewed = [("instance.renewed", f"{account}-{n}") for n in range(5)]
        assert await told(world, account) == renewed


async def test_numbers_have_no_gaps_however_many_write_at_once_and_are_rolled_back(world: World) -> None:
    await world.account("a", balance="20.00")
    ids = [f"i-{n:02d}" for n in range(40)]
    await world.instances(ids, price="1.00")

    async def renew(instance_id: str) -> None:
        try:
            await place_order.place_order("a", build_request(instance_id, key=instance_id), lambda: NOW)
        except errors.InsufficientFundsError:
            await set_policy(instance_id)

    await asyncio.gather(*map(renew, ids))
    counted = dict.fromkeys(("instance.renewed", "policy.changed"), 0)
    for happened, _ in await told(world):
        counted[happened] += 1
    assert counted == {"instance.renewed": 20, "policy.changed": 20}
    await integrity.assert_holds()


async def test_what_was_told_is_never_changed(world: World) -> None:
    await world.account("a")
    await world.instance("i-1")
    await set_policy("i-1")
    for change in ("UPDATE events SET type = 'x'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(Exception, match="events rows are never changed or deleted"):
            await database.execute(database.pool(), change)


async def test_a_follower_is_given_what_it_missed_and_then_what_happens(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instances(["i-1", "i-2"], price="1.00")
    await set_policy("i-1", "i-2")
    following = await event_log.subscribe("a", 1, admitted)
    assert (await anext(following)).instance_id == "i-2"
    later = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.05)
    assert not later.done()
    await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    event = await asyncio.wait_for(later, 1)
    assert (event.sequence, event.type) == (3, "instance.renewed")
    await following.aclose()


async def test_a_follower_without_a_number_is_given_only_what_is_new(world: World) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    await set_policy("i-1")
    following = await event_log.subscribe("a", None, admitted)
    later = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0.05)
    await set_policy("i-2")
    assert (await asyncio.wait_for(later, 1)).instance_id == "i-2"
    await following.aclose()


@pytest.mark.parametrize("after", [-1, 2, 2**62])
async def test_a_number_that_no_event_has_is_refused(world: World, after: int) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("i-1")
    await world.instances(["i-2", "i-3"], account="b")
    await set_policy("i-1")
    with pytest.raises(errors.InvalidInputError) as caught:
        await event_log.subscribe("a", after, admitted)
    bounds = "must be between 0 and 1 (the sequence of the last event)"
    assert str(caught.value) == f"after: {bounds}, not {after}"


async def test_nothing_is_announced_before_it_is_committed_nor_if_it_is_rolled_back(world: World) -> None:
    await world.account("a")
    draft = event_log.NewEvent("a", event_log.EventType.POLICY_CHANGED, None, {})
    with pubsub.subscribe("a") as subscriber:
        with contextlib.suppress(ZeroDivisionError):
            async with database.transaction() as connection:
                await event_log.append_events(connection, [draft], NOW, model.WORKER)
                raise ZeroDivisionError
        async with database.transaction() as connection:
            await event_log.append_events(connection, [draft], NOW, model.WORKER)
            assert not await is_woken(subscriber)
        assert await is_woken(subscriber)


async def is_woken(subscriber: pubsub.Subscriber) -> bool:
    return await subscriber.wait(0.05)


async def test_a_follower_whose_key_no_longer_holds_is_told_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "POLL_SECONDS", 0.05)
    await world.account("a")

    async def refused() -> bool:
        return False

    following = await event_log.subscribe("a", 0, refused)
    assert [event async for event in following] == []


async def test_an_event_is_read_with_the_name_of_its_instance_and_the_currency_of_its_account(
    world: World,
) -> None:
    await world.account("a", balance="1000.00", zone="Asia/Tokyo")
    await world.instance("i-1", expires="2027-01-31")
    await set_policy("i-1")
    [event] = await event_log.read_events("a", 0)
    name = await world.value("SELECT name FROM instances WHERE id = 'i-1'")
    assert (event.instance_name, event.time_zone, event.currency) == (name, "Asia/Tokyo", "CNY")


async def test_an_event_never_has_the_name_of_another_accounts_instance(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.account("b")
    await world.instance("i-1", expires="2027-01-31")
    await set_policy("i-1")
    await world.instance("theirs", account="b")
    await world.rows("ALTER TABLE events DISABLE TRIGGER USER")
    await world.rows("UPDATE events SET instance_id = 'theirs'")
    await world.rows("ALTER TABLE events ENABLE TRIGGER USER")
    [event] = await event_log.read_events("a", 0)
    assert event.instance_name is None


async def test_the_message_of_a_failure_is_in_the_language_of_the_account(world: World) -> None:
    for account, language in (("a", model.Language.ZH), ("b", model.Language.EN)):
        await world.account(account, balance="1.00", language=language)
        await world.instance(f"i-{account}", account=account, expires="2027-01-31", mode="AUTO", price="3.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    assert (await payload(world, 1, "a"))["message"] == "余额不足：需支付 3.00，可用 1.00，还差 2.00。"
    english = "3.00 is required and 1.00 is available; 2.00 is missing."
    assert (await payload(world, 1, "b"))["message"] == english
