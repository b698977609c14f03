"""Several workers that deliver to the same endpoints, and workers that are killed."""

import asyncio
import signal
from collections import Counter

import pytest

from renewals import integrity
from renewals.db import connection as database
from renewals.domain import model
from renewals.events import event_log
from renewals.webhooks import claims
from tests.renewals.webhooks.conftest import Sending
from tests.support.webhook_receiver import Receiver
from tests.workers.conftest import Start, start

__all__ = ["start"]

# A worker with shorter claims, so that they expire sooner after it is killed.
WORKER_WITH_SHORT_CLAIMS = """
import asyncio
from renewals import config
from renewals.webhooks import claims, dispatcher, http_client
from workers import main
claims.CLAIM_SECONDS = 5
dispatcher.BATCH_SECONDS_MAX = 1.0
http_client.REQUEST_SECONDS_MAX = 2.0
asyncio.run(main.run(config.get_settings()))
"""
WEBHOOK_SETTINGS = {
    "RENEWALS_WEBHOOK_HTTP": "true",
    "RENEWALS_WEBHOOK_PORTS": "",
    "RENEWALS_WEBHOOK_NETWORKS": "127.0.0.0/8",
}


async def put_backlog(sending: Sending, accounts: int, events: int) -> int:
    """Append `events` events for each account, of ten instances and of the account itself; return the total."""
    for number in range(accounts):
        account_id = f"acc-{number}"
        await sending.world.account(account_id)
        lanes = [None if n % 11 == 10 else f"{account_id}-{n % 11}" for n in range(events)]
        await sending.write(*lanes, account=account_id)
    return accounts * events


def select_violated_rules(
    violations: dict[str, list[integrity.Violation]],
) -> dict[str, list[integrity.Violation]]:
    return {rule: damages for rule, damages in violations.items() if damages}


@pytest.mark.parametrize("workers", [1, 2])
async def test_killed_workers_lose_no_event_and_keep_the_order_of_each_instance(
    sending: Sending, receiver: Receiver, start: Start, workers: int
) -> None:
    await sending.endpoint(receiver, owner=None)
    count = await put_backlog(sending, 10, 100)
    settings = WEBHOOK_SETTINGS | {"RENEWALS_WEBHOOK_PORTS": str(receiver.port)}
    running = [start("-c", WORKER_WITH_SHORT_CLAIMS, **settings) for _ in range(workers)]
    kills = 0
    for goal in (200, 500, 800):
        await receiver.wait(goal, 60)
        victim = running.pop(0)
        victim.signal(signal.SIGKILL)
        kills += 1
        running.append(start("-c", WORKER_WITH_SHORT_CLAIMS, **settings))
    await receiver.wait(count, 60)
    await asyncio.sleep(0.5)
    assert len(receiver.got) - count <= kills * 100
    assert len(Counter(receiver.keys)) == len({request.id for request in receiver.got}) == count
    receiver.assert_in_order()
    assert select_violated_rules(await integrity.check_invariants()) == {}


async def test_two_workers_send_each_event_to_each_endpoint_once(
    sending: Sending, receiver: Receiver, start: Start
) -> None:
    for _ in range(4):
        await sending.endpoint(receiver, owner=None)
    settings = WEBHOOK_SETTINGS | {"RENEWALS_WEBHOOK_PORTS": str(receiver.port)}
    for _ in range(2):
        start(**settings)
    count = 4 * await put_backlog(sending, 4, 100)
    await receiver.wait(count, 60)
    await asyncio.sleep(0.5)
    assert len(receiver.got) == count
    assert len({request.id for request in receiver.got}) == count
    await sending.until("SELECT bool_and(claim IS NULL) FROM webhook_states")
    assert await sending.world.rows("SELECT delivered_count FROM webhook_states") == [(count // 4,)] * 4


async def test_an_uncommitted_event_does_not_delay_the_delivery_of_committed_events(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.world.account("b")
    await sending.endpoint(receiver, owner=None)
    await sending.write("i-1")
    await sending.write("i-2", account="b")
    async with sending.running():
        async with database.transaction() as connection:
            draft = event_log.NewEvent("a", event_log.EventType.POLICY_CHANGED, "i-1", {})
            await event_log.append_events(connection, [draft], sending.clock(), model.WORKER)
            await receiver.wait(2)
            await asyncio.sleep(0.5)
            assert await sending.value("SELECT sequence FROM webhook_cursors WHERE account_id = 'b'") == 1
        await receiver.wait(3)
    receiver.assert_in_order()


@pytest.mark.parametrize("burden", ["failure_count = 1", "is_slow = true"])
async def test_a_claim_has_at_most_the_given_number_of_failing_or_slow_endpoints(
    sending: Sending, receiver: Receiver, burden: str
) -> None:
    for _ in range(8):
        await sending.endpoint(receiver, owner=None)
    await sending.write("i-1")
    assert len(await claims.claim_endpoints(sending.clock(), count=3, degraded_count=2)) == 3
    await database.execute(
        database.pool(), f"UPDATE webhook_states SET {burden}, claim = NULL, claimed_until = NULL"
    )
    claimed = await claims.claim_endpoints(sending.clock(), count=6, degraded_count=1)
    assert sorted(claim.health.is_degraded for claim in claimed) == [False] * 5 + [True]
    assert await sending.value("SELECT count(*) FROM webhook_states WHERE claim IS NOT NULL") == 6
