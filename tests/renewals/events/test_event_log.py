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


async def list_events(world: World, account: str = "a") -> list[tuple[str, str | None]]:
    """Return the type and the instance of each event, in order; check that the numbers start at 1 without gaps."""
    rows = await world.rows(
        "SELECT sequence, type, instance_id FROM events WHERE account_id = $1 ORDER BY sequence", account
    )
    assert [sequence for sequence, *_ in rows] == list(range(1, len(rows) + 1))
    return [(event_type, instance_id) for _, event_type, instance_id in rows]


async def read_payload(world: World, sequence: int, account: str = "a") -> Any:
    sql = "SELECT payload::text FROM events WHERE account_id = $1 AND sequence = $2"
    return orjson.loads(await world.value(sql, account, sequence))


async def allow() -> bool:
    return True


def build_request(*ids: str, key: str = "key", to: planning.UnifyToDate | None = None, **more: Any) -> Any:
    return requests.OrderRequest(selection.ById(ids), to or planning.RenewFor(1), idempotency_key=key, **more)


async def set_policy(*ids: str, mode: model.RenewalMode = AUTO, months: int = 1) -> None:
    await policy.set_policy(
        "a", policy.PolicyRequest(selection.ById(ids), mode, auto_renew_months=months), lambda: NOW
    )


async def test_a_manual_renewal_has_an_event_with_its_order_period_and_price(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    placed = await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await list_events(world) == [("instance.renewed", "i-1")]
    assert await read_payload(world, 1) == {
        "orderId": str(placed.order_id),
        "orderKind": "MANUAL_RENEWAL",
        "startsAt": "2027-01-31T15:59:59+00:00",
        "expiresAt": FEBRUARY,
        "months": 1,
        "days": 0,
        "price": "300.00",
    }
    assert await world.value("SELECT occurred_at FROM events") == NOW


async def test_a_unified_expiry_has_an_event_of_the_type_expiry_unified(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="310.00")
    to = planning.UnifyToDate(dt.date(2027, 3, 10))
    await place_order.place_order("a", build_request("i-1", to=to), lambda: NOW)
    assert await list_events(world) == [("expiry.unified", "i-1")]
    payload = await read_payload(world, 1)
    assert (payload["months"], payload["days"], payload["price"]) == (1, 10, "410.00")


async def test_a_repeated_request_with_the_same_idempotency_key_adds_no_event(world: World) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", price="300.00")
    for _ in range(2):
        await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await list_events(world) == [("instance.renewed", "i-1")]


@pytest.mark.parametrize(
    "kind", [errors.InsufficientFundsError, errors.PriceChangedError, errors.NotRenewableError]
)
async def test_a_refused_renewal_adds_no_event_and_uses_no_number(
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
    assert await list_events(world) == []
    await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    assert await list_events(world) == [("instance.renewed", "i-1")]


async def test_each_changed_policy_has_an_event_with_the_policy_before_and_after(world: World) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    await world.instance("i-3", mode="AUTO")
    await set_policy("i-1", "i-2", "i-3")
    await set_policy("i-1", months=3)
    await set_policy("i-1", mode=model.RenewalMode.NONE)
    assert await list_events(world) == [("policy.changed", i) for i in ("i-1", "i-2", "i-1", "i-1")]
    assert [await read_payload(world, n) for n in (1, 3, 4)] == [
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


async def test_a_renewal_run_adds_events_for_renewed_instances_and_failed_renewals(world: World) -> None:
    await world.account("a", balance="300.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    await world.instance("i-2", expires="2027-01-31", mode="AUTO", price="500.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    assert await list_events(world) == [("instance.renewed", "i-1"), ("instance.renewal_failed", "i-2")]
    assert (await read_payload(world, 1))["orderKind"] == "AUTO_RENEWAL"
    payload = await read_payload(world, 2)
    assert (payload["code"], payload["dueAt"], payload["expiresAt"]) == (
        "INSUFFICIENT_FUNDS",
        "2027-01-30T16:30:00+00:00",
        "2027-01-31T15:59:59+00:00",
    )
    assert "500.00" in payload["message"]


async def test_a_renewal_that_fails_every_hour_has_one_event_per_due_time(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    for hour in range(20):
        await renew.run_at(world.at(f"2027-01-31 {hour:02}:30"))
    failed = [("instance.renewal_failed", "i-1")]
    assert await list_events(world) == failed
    await world.top_up("300.00")
    await renew.run_at(world.at("2027-01-31 20:30"))
    assert await list_events(world) == [*failed, ("instance.renewed", "i-1")]
    await renew.run_at(world.at("2027-02-28 00:30"))
    assert await list_events(world) == [*failed, ("instance.renewed", "i-1"), *failed]


async def test_the_expiry_and_the_release_of_an_instance_have_one_event_each(world: World) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("i-1", expires="2027-01-31", product="ebs", mode="AUTO")
    await world.instance("i-2", expires="2027-01-31", product="ebs", account="b")
    for day in ("2027-02-01", "2027-02-01", "2027-12-01"):
        await lifecycle.expire_and_release(world.at(f"{day} 12:00"))
    for account, instance_id, mode in (("a", "i-1", "AUTO"), ("b", "i-2", "MANUAL")):
        both = [("instance.expired", instance_id), ("instance.released", instance_id)]
        assert await list_events(world, account) == both
        payload = {"expiresAt": "2027-01-31T15:59:59+00:00", "renewalMode": mode}
        assert [await read_payload(world, n, account) for n in (1, 2)] == [payload, payload]


@pytest.mark.parametrize("is_marked_expired", [True, False])
async def test_the_event_of_an_expiry_precedes_the_events_of_the_restoring_renewal(
    world: World, is_marked_expired: bool
) -> None:
    await world.account("a", balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    await world.instance("i-2", expires="2027-02-20", price="300.00")
    await world.instance("other", expires="2027-01-31")
    now = world.at("2027-02-01 00:00:30")
    if is_marked_expired:
        await lifecycle.expire_and_release(now)
    before = await list_events(world)
    await place_order.place_order("a", build_request("i-1", "i-2"), lambda: now)
    first = [] if is_marked_expired else [("instance.expired", "i-1")]
    restored = [("instance.renewed", "i-1"), ("instance.restored", "i-1")]
    assert (await list_events(world))[len(before) :] == [*first, *restored, ("instance.renewed", "i-2")]
    await lifecycle.expire_and_release(now)
    assert (await list_events(world)).count(("instance.expired", "i-1")) == 1


async def test_each_account_numbers_its_own_events_in_the_order_of_the_renewals(world: World) -> None:
    for account in "ab":
        await world.account(account, balance="1000.00")
        ids = [f"{account}-{n}" for n in range(5)]
        await world.instances(ids, account=account, expires="2027-01-31", mode="AUTO", price="1.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    for account in "ab":
        renewed = [("instance.renewed", f"{account}-{n}") for n in range(5)]
        assert await list_events(world, account) == renewed


async def test_event_numbers_have_no_gaps_after_concurrent_changes_and_rollbacks(world: World) -> None:
    await world.account("a", balance="20.00")
    ids = [f"i-{n:02d}" for n in range(40)]
    await world.instances(ids, price="1.00")

    async def renew_or_set_policy(instance_id: str) -> None:
        try:
            await place_order.place_order("a", build_request(instance_id, key=instance_id), lambda: NOW)
        except errors.InsufficientFundsError:
            await set_policy(instance_id)

    await asyncio.gather(*map(renew_or_set_policy, ids))
    counts = dict.fromkeys(("instance.renewed", "policy.changed"), 0)
    for event_type, _ in await list_events(world):
        counts[event_type] += 1
    assert counts == {"instance.renewed": 20, "policy.changed": 20}
    await integrity.assert_holds()


async def test_events_cannot_be_changed_or_deleted(world: World) -> None:
    await world.account("a")
    await world.instance("i-1")
    await set_policy("i-1")
    for change in ("UPDATE events SET type = 'x'", "DELETE FROM events", "TRUNCATE events"):
        with pytest.raises(Exception, match="events rows are never changed or deleted"):
            await database.execute(database.pool(), change)


async def test_a_subscription_after_a_number_returns_the_missed_events_and_then_new_events(
    world: World,
) -> None:
    await world.account("a", balance="1000.00")
    await world.instances(["i-1", "i-2"], price="1.00")
    await set_policy("i-1", "i-2")
    subscription = await event_log.subscribe("a", 1, allow)
    assert (await anext(subscription)).instance_id == "i-2"
    next_event = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0.05)
    assert not next_event.done()
    await place_order.place_order("a", build_request("i-1"), lambda: NOW)
    event = await asyncio.wait_for(next_event, 1)
    assert (event.sequence, event.type) == (3, "instance.renewed")
    await subscription.aclose()


async def test_a_subscription_without_a_number_returns_only_new_events(world: World) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"])
    await set_policy("i-1")
    subscription = await event_log.subscribe("a", None, allow)
    next_event = asyncio.ensure_future(anext(subscription))
    await asyncio.sleep(0.05)
    await set_policy("i-2")
    assert (await asyncio.wait_for(next_event, 1)).instance_id == "i-2"
    await subscription.aclose()


@pytest.mark.parametrize("after", [-1, 2, 2**62])
async def test_a_subscription_after_a_number_that_no_event_has_is_refused(world: World, after: int) -> None:
    await world.account("a")
    await world.account("b")
    await world.instance("i-1")
    await world.instances(["i-2", "i-3"], account="b")
    await set_policy("i-1")
    with pytest.raises(errors.InvalidInputError) as caught:
        await event_log.subscribe("a", after, allow)
    bounds = "must be between 0 and 1 (the sequence of the last event)"
    assert str(caught.value) == f"after: {bounds}, not {after}"


async def test_events_are_announced_only_after_their_transaction_is_committed(world: World) -> None:
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


async def test_a_subscription_ends_when_its_key_is_no_longer_valid(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "POLL_SECONDS", 0.05)
    await world.account("a")

    async def refuse() -> bool:
        return False

    subscription = await event_log.subscribe("a", 0, refuse)
    assert [event async for event in subscription] == []


async def test_an_event_has_the_name_of_its_instance_and_the_zone_and_currency_of_its_account(
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


async def test_the_message_of_a_failed_renewal_is_in_the_language_of_the_account(world: World) -> None:
    for account, language in (("a", model.Language.ZH), ("b", model.Language.EN)):
        await world.account(account, balance="1.00", language=language)
        await world.instance(f"i-{account}", account=account, expires="2027-01-31", mode="AUTO", price="3.00")
    await renew.run_at(world.at("2027-01-31 00:30"))
    assert (await read_payload(world, 1, "a"))["message"] == "余额不足：需支付 3.00，可用 1.00，还差 2.00。"
    english = "3.00 is required and 1.00 is available; 2.00 is missing."
    assert (await read_payload(world, 1, "b"))["message"] == english
