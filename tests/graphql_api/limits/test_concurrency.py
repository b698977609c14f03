"""Concurrency limits per key: 8 requests run, 56 wait, further ones are refused, and other keys are not delayed."""

import asyncio

import asyncpg
import httpx2
import pytest

from graphql_api.limits import concurrency
from renewals.concurrency import fair_queue
from tests.support import graphql_client
from tests.support.fixtures import World

AT_ONCE_MAX = concurrency.RUNNING_PER_KEY_MAX + concurrency.WAITING_PER_KEY_MAX
BLOCKED = {"query": "{ instances { totalCount } }"}
# Only this database, because parallel tests wait for locks in other databases on the same server.
WAITED_FOR = """SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE NOT granted AND datname = current_database())"""
FREE = {"query": "{ account { id } }"}


@pytest.fixture
async def keys(world: World) -> tuple[str, str]:
    for account in ("a", "b"):
        await world.account(account)
    return await world.key("a"), await world.key("b")


async def test_a_key_with_too_many_requests_gets_retry_after_and_others_are_served(
    keys: tuple[str, str], graphql: graphql_client.Client, database_url: str
) -> None:
    async def ask(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    first, second = keys
    blocker = await asyncpg.connect(database_url)
    try:
        lock = blocker.transaction()
        await lock.start()
        await blocker.execute("LOCK TABLE instances IN ACCESS EXCLUSIVE MODE")
        asking = [asyncio.create_task(ask(first, BLOCKED)) for _ in range(AT_ONCE_MAX + 5)]
        done, waiting = await asyncio.wait(asking, timeout=3)
        for answer in [task.result() for task in done]:
            assert answer.status_code == 429
            assert answer.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_AT_ONCE"}
            assert int(answer.headers["retry-after"]) >= 1
        assert len(done) == 5
        async with asyncio.timeout(3):
            assert (await ask(second, FREE)).json()["data"] == {"account": {"id": "b"}}
        await lock.rollback()
        for task in waiting:
            assert (await task).json()["data"] == {"instances": {"totalCount": 0}}
    finally:
        await blocker.close()


async def test_heavy_requests_of_an_account_take_turns_with_those_of_others() -> None:
    requests = concurrency.RequestLimiter()
    order: list[str] = []
    running = 0

    async def work(owner: str) -> None:
        nonlocal running
        async with requests.turn(owner):
            with requests.lane(owner) as lane:
                await lane.enter()
                await lane.enter()  # it is already in the lane
                running += 1
                assert running <= concurrency.HEAVY_AT_ONCE_MAX
                order.append(owner)
                await asyncio.sleep(0.001)
                running -= 1

    many = [asyncio.create_task(work("many")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(*many, work("few"))
    assert order.index("few") <= 2


async def test_a_request_cancelled_while_it_waits_holds_no_slot() -> None:
    requests = concurrency.RequestLimiter()

    async def work() -> None:
        async with requests.turn("other"):
            with requests.lane("account") as lane:
                await lane.enter()
                await asyncio.sleep(60)

    for _ in range(3):
        working = [asyncio.create_task(work()) for _ in range(AT_ONCE_MAX)]
        await asyncio.sleep(0.01)
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    async with asyncio.timeout(1), requests.turn("other"):
        with requests.lane("account") as lane:
            await lane.enter()


async def test_a_request_that_waits_for_a_server_is_not_in_its_lane() -> None:
    requests = concurrency.RequestLimiter()
    with requests.lane("a") as first, requests.lane("a") as second:
        fair_queue.leave_lane()  # there is no lane yet
        await first.enter()
        entering = asyncio.create_task(second.enter())
        await asyncio.sleep(0)
        assert not entering.done()
        fair_queue.leave_lane()
        async with asyncio.timeout(1):
            await entering
        assert (first.is_entered, second.is_entered) == (False, True)
        fair_queue.leave_lane()
        assert second.is_entered


async def test_rows_are_read_outside_of_the_lane_and_responses_made_in_it() -> None:
    requests = concurrency.RequestLimiter()
    order: list[str] = []

    async def work(name: str) -> None:
        with requests.lane("a") as lane:
            lane.enter_after_read()
            order.append(f"{name} reads")
            await asyncio.sleep(0)
            await fair_queue.enter_lane_after_read()
            await fair_queue.enter_lane_after_read()  # a request's second list does not enter again
            order.append(f"{name} has entered")
            await asyncio.sleep(0)
            order.append(f"{name} leaves")

    await asyncio.gather(work("first"), work("second"))
    assert order == [
        "first reads",
        "second reads",
        "first has entered",
        "first leaves",
        "second has entered",
        "second leaves",
    ]
    await fair_queue.enter_lane_after_read()  # outside a request


async def test_a_lane_is_not_entered_once_its_request_has_ended() -> None:
    requests = concurrency.RequestLimiter()
    with requests.lane("a") as holder, requests.lane("a") as ended:
        await holder.enter()
        ended.enter_after_read()
        late = asyncio.create_task(fair_queue.enter_lane_after_read())
        await asyncio.sleep(0)
    await late
    await fair_queue.enter_lane_after_read()
    assert not ended.is_entered
    async with asyncio.timeout(1):
        with requests.lane("a") as following:
            await following.enter()


@pytest.mark.parametrize("other_account_is_active", [False, True])
async def test_heavy_reads_of_an_account_take_turns_only_if_there_are_other_accounts(
    keys: tuple[str, str],
    graphql: graphql_client.Client,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    other_account_is_active: bool,
) -> None:
    async def ask(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    first, second = keys
    await ask(first, BLOCKED)  # afterwards the document and the size of the account are cached
    monkeypatch.setattr(concurrency, "HEAVY_COST", 0)
    blocker = await asyncpg.connect(database_url)
    try:
        lock = blocker.transaction()
        await lock.start()
        await blocker.execute("LOCK TABLE instances IN ACCESS EXCLUSIVE MODE")
        if other_account_is_active:
            await ask(second, FREE)
        asking = [asyncio.create_task(ask(first, BLOCKED)) for _ in range(3)]
        await asyncio.sleep(0.5)
        waiting = await blocker.fetchval(
            """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
               WHERE NOT granted AND datname = current_database()"""
        )
        await lock.rollback()
        for answer in await asyncio.gather(*asking):
            assert answer.json()["data"] == {"instances": {"totalCount": 0}}
    finally:
        await blocker.close()
    assert waiting == (1 if other_account_is_active else 3)


async def test_large_bodies_of_an_account_are_received_in_turn_and_small_ones_at_once(
    keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = concurrency.RequestLimiter()
    monkeypatch.setattr(concurrency, "RequestLimiter", lambda: requests)
    graphql = graphql_client.Client()
    large = {**FREE, "variables": {"unused": "x" * concurrency.HEAVY_BODY_BYTES}}

    async def ask(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    async with asyncio.timeout(3):
        async with requests.receiving("a"):
            waiting = asyncio.create_task(ask(keys[0], large))
            for key, body in ((keys[0], FREE), (keys[1], large), (keys[1], FREE)):
                assert (await ask(key, body)).status_code == 200
            assert not waiting.done()
        assert (await waiting).status_code == 200


async def test_a_new_document_is_parsed_in_the_lane_and_a_cheap_one_executed_outside(
    keys: tuple[str, str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = concurrency.RequestLimiter()
    monkeypatch.setattr(concurrency, "RequestLimiter", lambda: requests)
    graphql = graphql_client.Client()
    graphql.key = keys[0]
    blocker = await asyncpg.connect(database_url)
    try:
        with requests.lane("a") as lane:
            await lane.enter()
            lock = blocker.transaction()
            await lock.start()
            await blocker.execute("LOCK TABLE instances IN ACCESS EXCLUSIVE MODE")
            asking = asyncio.create_task(graphql("{ instances(first: 3) { nodes { id } } }"))
            await asyncio.sleep(0.2)
            assert not await blocker.fetchval(WAITED_FOR)
        async with asyncio.timeout(3):
            while not await blocker.fetchval(WAITED_FOR):  # noqa: ASYNC110 - PostgreSQL sends no event
                await asyncio.sleep(0.01)
            with requests.lane("a") as lane:
                await lane.enter()
        await lock.rollback()
        assert await asking == {"instances": {"nodes": []}}
    finally:
        await blocker.close()


async def test_an_export_does_not_wait_for_a_request_that_may_wait_for_its_connection(
    keys: tuple[str, str], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.instance("i-1")
    requests = concurrency.RequestLimiter()
    monkeypatch.setattr(concurrency, "RequestLimiter", lambda: requests)
    graphql = graphql_client.Client()
    with requests.lane("a") as lane:
        await lane.enter()
        async with asyncio.timeout(3):
            answer = await graphql.http.get(
                "http://testserver/export/instances.csv", headers={"Authorization": f"Bearer {keys[0]}"}
            )
    assert answer.status_code == 200
