"""Clients and workers use the same three accounts concurrently, around the last second of three months.

The clients of a group run the same script with the same keys. Two workers do each run twice, and a sweep expires and
releases instances. `HAMMER_ROUNDS=20 make test TESTS=tests/races/test_hammer.py` runs longer, with other scripts.
"""

import asyncio
import collections
import datetime as dt
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import pytest

from renewals.auto_renewal import chunks, runs
from renewals.auto_renewal import renew as auto_renewal_renew
from renewals.auto_renewal.finish_runs import finish_runs
from renewals.instances import lifecycle
from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client

ROUNDS = int(os.environ.get("HAMMER_ROUNDS") or 1)
LAST_DAYS = ("2027-01-31", "2027-02-28", "2027-03-31")
SCRIPTS = 3
REQUESTS_A_SCRIPT = 6
CLIENTS_A_SCRIPT = 3
"""The number of clients that run a script in parallel, which is also the number of times that each key is sent."""

SINGLE_PRICE = "10.00"
POOR_PERIODS = 25
"""The number of periods that the money of `poor` can pay for. Its clients and the worker request more."""
BALANCES = {"poor": "150.00", "mixed": "300.00", "rich": "1000000.00"}
"""The balance of each account. Each account also has a voucher of 100.00."""


class Request(NamedTuple):
    """A mutation with its key."""

    verb: str
    key: str
    ids: Sequence[str]
    more: dict[str, object]


Answers: TypeAlias = Sequence[tuple[str, Request, customer.Result]]
"""Responses with the account and the request of each."""


class Clock:
    """A clock that advances with each request, so that a slow machine has as much time as a fast one."""

    now: dt.datetime

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self) -> None:
        """Advance by two seconds, spread over all requests of a night."""
        requests = len(BALANCES) * SCRIPTS * CLIENTS_A_SCRIPT * REQUESTS_A_SCRIPT
        self.now += dt.timedelta(seconds=2) / requests


async def put_accounts(world: World) -> dict[str, list[str]]:
    """Create the accounts; return the ids of the instances that clients renew. Only the worker renews the others."""
    client_ids = {}
    for account, balance in BALANCES.items():
        await world.account(account, balance=balance)
        ids = [f"{account}-{n}" for n in range(8)]
        prices = [SINGLE_PRICE] * 8 if account == "poor" else ["33.33", "0.99", "47.10", "10.00"] * 2
        for number, (instance_id, price) in enumerate(zip(ids, prices, strict=True)):
            mode = "AUTO" if number % 2 else "MANUAL"
            await world.instance(instance_id, account=account, expires=LAST_DAYS[0], mode=mode, price=price)
        worker_ids = [f"{account}-own-{n}" for n in range(6)]
        await world.instances(
            worker_ids, account=account, expires=LAST_DAYS[0], mode="AUTO", price=SINGLE_PRICE
        )
        if account != "poor":
            for product in ("kec", "ebs", "kes"):
                bundle_options = {
                    "product": product,
                    "bundle": f"{account}-b",
                    "mode": "AUTO",
                    "price": "21.07",
                }
                await world.instance(
                    f"{account}-{product}", account=account, expires=LAST_DAYS[0], **bundle_options
                )
                ids.append(f"{account}-{product}")
            await world.voucher("75.50", account=account, products=["kec", "eip"], expires="2027-02-28")
        await world.voucher("100.00", account=account)
        client_ids[account] = ids
    return client_ids


def script(rng: random.Random, account: str, ids: Sequence[str], name: str) -> Iterator[Request]:
    """Return random requests of an account. Each request of `poor` is for one instance and one month."""
    for number in range(REQUESTS_A_SCRIPT):
        verb = rng.choice(("renew", "renew", "unify", "set_policy"))
        more: dict[str, object] = {"mode": rng.choice(("AUTO", "AUTO", "NONE"))}
        selected_ids = rng.sample(ids, 1 if account == "poor" else rng.randint(1, len(ids)))
        if verb != "set_policy":
            target = {"months": 1} if verb == "renew" else {"day": 31}  # next month: all are on the 31st
            if account != "poor":
                target = {"months": rng.randint(1, 2)} if verb == "renew" else {"day": rng.randint(1, 31)}
            more = {**target, "key": f"{name}-{number}"}
        if account != "poor":
            more |= {"bundles": "WHOLE", "batchMode": rng.choice(("BEST_EFFORT", "ALL_OR_NOTHING"))}
        yield Request(verb, f"{name}-{number}", selected_ids, more)


async def play(account: str, buyer: customer.Buyer, requests: Sequence[Request], clock: Clock) -> Answers:
    """Return a client's responses to sequential requests. Raises an error if a response has one."""
    responses = []
    for request in requests:
        clock.advance()
        buyer.client.at(clock())
        ask = getattr(buyer, request.verb)
        responses.append((account, request, await ask(request.ids, **request.more)))
    return responses


async def play_all(
    scripts: Sequence[tuple[str, Sequence[Request]]], wallets: Mapping[str, customer.Buyer], clock: Clock
) -> Answers:
    """Return the responses of all clients. CLIENTS_A_SCRIPT clients run each script."""
    playing = [
        play(account, wallets[account], requests, clock)
        for account, requests in scripts
        for _ in range(CLIENTS_A_SCRIPT)
    ]
    return [response for played in await asyncio.gather(*playing) for response in played]


async def work(clock: Clock, over: asyncio.Event) -> None:
    """Run two workers: both do every chunk of the hour's run, in opposite orders, then one run after the other."""

    async def renew(pending: Sequence[chunks.Chunk]) -> None:
        for chunk in pending:
            assert await auto_renewal_renew.process_chunk(chunk, clock)
        await finish_runs(clock)

    async def run_on() -> None:
        while not over.is_set():
            await auto_renewal_renew.run_at(clock(), clock)
            await asyncio.sleep(0.05)

    await asyncio.gather(*(runs.start_scheduled_run(clock()) for _ in range(2)))
    pending = await chunks.list_pending_chunks()
    await asyncio.gather(renew(pending), renew(pending[::-1]))
    await asyncio.gather(run_on(), run_on())


async def sweep(clock: Clock, over: asyncio.Event) -> None:
    """Expire and release repeatedly."""
    while not over.is_set():
        await lifecycle.expire_and_release(clock())
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_concurrent_clients_never_overspend(
    world: World, settings_override: Callable[..., None], seed: int
) -> None:
    settings_override(instances_per_chunk=25)  # two accounts in one chunk, one in the other
    rng, clock = random.Random(seed), Clock()
    client_ids = await put_accounts(world)
    wallets = {account: await customer.of(world, Client(), account) for account in BALANCES}
    responses: list[tuple[str, Request, customer.Result]] = []

    for night, last_day in enumerate(LAST_DAYS):
        scripts = [
            (account, list(script(rng, account, ids, f"{night}-{number}")))
            for account, ids in client_ids.items()
            for number in range(SCRIPTS)
        ]
        clock.now = world.at(f"{last_day} 23:59:58", account="poor")
        over = asyncio.Event()
        async with asyncio.TaskGroup() as others:
            others.create_task(work(clock, over))
            others.create_task(sweep(clock, over))
            responses += await play_all(scripts, wallets, clock)
            over.set()

    await assert_no_deadlock_and_no_failed_chunk(world)
    assert_each_key_is_one_order(responses)
    assert_refusals_are_justified(responses)
    await assert_spent_to_the_last_affordable_period(world)
    await integrity.assert_holds()
    for buyer in wallets.values():
        await buyer.client.http.aclose()


async def assert_no_deadlock_and_no_failed_chunk(world: World) -> None:
    """Check that no deadlock occurred, not even a retried one, because all code takes locks in the same order."""
    assert await world.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()") == 0
    # A chunk that failed is parked with its error, or divided into new chunks without counts.
    assert (
        await world.value("SELECT count(*) FROM renewal_chunks WHERE error IS NOT NULL OR due_count = 0") == 0
    )
    assert (
        await world.value(
            """SELECT count(*) FROM renewal_runs r WHERE broken_rules IS DISTINCT FROM '{}'
               AND EXISTS (SELECT FROM renewal_chunks c WHERE c.run_id = r.id)"""
        )
        == 0
    )
    assert await chunks.list_pending_chunks() == []


def assert_each_key_is_one_order(responses: Answers) -> None:
    orders = collections.defaultdict(list)
    for account, request, result in responses:
        if "order" in result:
            orders[account, request.key].append(result["order"])
    for same in orders.values():
        assert same == [same[0]] * len(same)
    assert len({same[0]["id"] for same in orders.values()}) == len(orders) > 0


def assert_refusals_are_justified(responses: Answers) -> None:
    counts = collections.Counter((account, result["__typename"]) for account, _, result in responses)
    assert counts["poor", "InsufficientFunds"] > 0
    assert counts["mixed", "InsufficientFunds"] > 0
    assert counts["rich", "InsufficientFunds"] == 0
    assert not {"InvalidInput", "PriceChanged", "IdempotencyKeyReused"} & {kind for _, kind in counts}
    for account, _, result in responses:
        if account == "poor":
            assert result.get("available", "0.00") == "0.00"
            assert {refusal["code"] for refusal in result.get("refusals", ())} <= {"EXPIRED", "RELEASED"}


async def assert_spent_to_the_last_affordable_period(world: World) -> None:
    sql = (
        "SELECT count(*) FROM order_lines l JOIN instances i ON i.id = l.instance_id WHERE i.account_id = $1"
    )
    assert (await world.balance("poor"), await world.value(sql, "poor")) == ("0.00", POOR_PERIODS)
    assert await world.value("SELECT min(balance_cents) FROM accounts") >= 0
    assert await world.value("SELECT min(available_cents) FROM vouchers") >= 0
    # All participants had an effect.
    assert await world.value("SELECT count(*) FROM renewal_attempts WHERE succeeded") > 0
    assert await world.value("SELECT count(*) FROM instances WHERE status = 'RELEASED'") > 0
