"""Events are delivered with a signature, in order and at least once, and only to endpoints that selected them."""

import asyncio

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from renewals.db import connection as database
from renewals.domain.model import Language
from renewals.webhooks import batches, claims, deliveries, endpoints, replays
from tests.renewals.webhooks.conftest import Sending
from tests.support.webhook_receiver import Receiver


async def test_events_are_delivered_with_a_signature_in_the_order_of_each_instance(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.write("i-before")
    created = await sending.endpoint(receiver)
    await sending.write("i-1", "i-2", "i-1", None, None)
    async with sending.running():
        await receiver.wait(5)
        await sending.write("i-2")
        await receiver.wait(6)
    assert sorted(receiver.keys) == [("a", number) for number in range(2, 8)]
    receiver.assert_in_order()
    for request in receiver.got:
        message = Webhook(created.secret).verify(request.body, request.headers)
        assert message["type"] == "policy.changed"
        assert message["data"]["payload"].keys() == {"n"}
        with pytest.raises(WebhookVerificationError):
            Webhook(created.secret).verify(request.body + b" ", request.headers)
    assert await sending.world.count("webhook_deliveries") == 0
    assert await sending.world.rows("SELECT sequence, last_sequence FROM webhook_cursors") == [(7, 7)]


async def test_each_event_has_a_summary_in_the_language_of_its_account(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.world.account("zh", language=Language.ZH)
    await sending.world.instance("i-1", account="zh", name="网站")
    await sending.endpoint(receiver, owner=None)
    await sending.write("i-1", account="zh", happened="instance.expired")
    await sending.write("i-2", happened="instance.expired")
    async with sending.running():
        await receiver.wait(2)
    summaries = {request.data["accountId"]: request.data["summary"] for request in receiver.got}
    assert summaries == {
        "zh": "实例 网站 (i-1) 的事件：instance.expired。",
        "a": "Event instance.expired of i-2.",
    }


async def test_an_endpoint_receives_only_events_of_the_selected_types(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.endpoint(receiver, types=["instance.expired"])
    await sending.write(*["i-1"] * 2500)
    await sending.write("i-1", happened="instance.expired")
    async with sending.running():
        await receiver.wait(1)
    assert receiver.keys == [("a", 2501)]


async def test_the_providers_endpoint_receives_all_events_and_an_accounts_endpoint_its_own_events(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.world.account("b")
    await sending.endpoint(receiver, owner=None)
    await sending.endpoint(receiver, owner="b")
    await sending.write("i-a")
    await sending.write("i-b", account="b")
    async with sending.running():
        await receiver.wait(3)
    assert sorted(receiver.keys) == [("a", 1), ("b", 1), ("b", 1)]
    assert len({request.id for request in receiver.got}) == 3


async def test_an_event_without_an_endpoint_writes_no_webhook_cursor(sending: Sending) -> None:
    await sending.write("i-1")
    assert await sending.world.count("webhook_cursors") == 0


async def test_the_cursors_of_a_deleted_endpoint_are_deleted(sending: Sending, receiver: Receiver) -> None:
    created = await sending.endpoint(receiver)
    await sending.write("i-1")
    await endpoints.delete("a", str(created.endpoint.id))
    async with sending.running():
        await sending.write("i-1")
    assert await sending.world.count("webhook_cursors") == 1
    await deliveries.delete_orphans()
    assert await sending.world.count("webhook_cursors") == 0
    assert receiver.got == []


async def test_a_replay_while_a_batch_is_read_keeps_the_events_of_an_instance_in_order(
    sending: Sending, receiver: Receiver
) -> None:
    created = await sending.endpoint(receiver)
    await sending.write(*["i-1"] * 4)
    for sql in (
        "UPDATE webhook_cursors SET sequence = 3",
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, next_attempt_at)
           SELECT endpoint_id, 'a', 3, 'i-1', 1, now() FROM webhook_cursors""",
    ):
        await database.execute(database.pool(), sql)
    [claim] = await claims.claim_endpoints(sending.clock(), count=1, degraded_count=0)
    has_lock, may_replay = asyncio.Event(), asyncio.Event()

    async def replay() -> None:
        async with database.transaction() as connection:
            # The dispatcher reads the waiting deliveries first, and can read the cursors only after the replay.
            await database.execute(connection, "LOCK TABLE webhook_cursors")
            has_lock.set()
            await may_replay.wait()
            await replays.replay_in(connection, created.endpoint, "a", 1, sending.clock, and_all_after=True)

    replaying = asyncio.create_task(replay())
    await has_lock.wait()
    reading = asyncio.create_task(batches.read_batch(claim, (), sending.clock(), 100))
    await sending.until(
        """SELECT count(*) FROM pg_stat_activity
           WHERE wait_event_type = 'Lock' AND datname = current_database()""",
        1,
    )
    may_replay.set()
    await replaying
    [lane] = (await reading).lanes()
    assert [message.sequence for message in lane] == [3]
    [lane] = (await batches.read_batch(claim, (), sending.clock(), 100)).lanes()
    assert [message.sequence for message in lane] == [1, 2, 3, 4]
