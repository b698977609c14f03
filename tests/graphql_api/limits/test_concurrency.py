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
IS_LOCK_AWAITED = """SELECT EXISTS (SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE NOT granted AND datname = current_database())"""
UNBLOCKED = {"query": "{ account { id } }"}


@pytest.fixture
async def keys(world: World) -> tuple[str, str]:
    for account in ("a", "b"):
        await world.account(account)
    return await world.key("a"), await world.key("b")


async def test_a_key_with_too_many_requests_is_refused_and_another_key_is_served(
    keys: tuple[str, str], graphql: graphql_client.Client, database_url: str
) -> None:
    async def send(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    first, second = keys
    blocker = await asyncpg.connect(database_url)
    try:
        lock = blocker.transaction()
        await lock.start()
        await blocker.execute("LOCK TABLE instances IN ACCESS EXCLUSIVE MODE")
        pending = [asyncio.create_task(send(first, BLOCKED)) for _ in range(AT_ONCE_MAX + 5)]
        done, waiting = await asyncio.wait(pending, timeout=3)
        for answer in [task.result() for task in done]:
            assert answer.status_code == 429
            assert answer.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_AT_ONCE"}
            assert int(answer.headers["retry-after"]) >= 1
        assert len(done) == 5
        async with asyncio.timeout(3):
            assert (await send(second, UNBLOCKED)).json()["data"] == {"account": {"id": "b"}}
        await lock.rollback()
        for task in waiting:
            assert (await task).json()["data"] == {"instances": {"totalCount": 0}}
    finally:
        await blocker.close()


async def test_many_heavy_requests_of_an_account_do_not_delay_a_request_of_another_account() -> None:
    requests = concurrency.RequestLimiter()
    order: list[str] = []
    running = 0

    async def work(owner: str) -> None:
        nonlocal running
        async with requests.turn(owner):
            with requests.lane(owner) as lane:
                await lane.enter()
                await lane.enter()  # has no effect, because the request is in the lane
                running += 1
                assert running <= concurrency.HEAVY_AT_ONCE_MAX
                order.append(owner)
                await asyncio.sleep(0.001)
                running -= 1

    many = [asyncio.create_task(work("many")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.gather(*many, work("few"))
    assert order.index("few") <= 2


async def test_a_request_that_is_cancelled_while_waiting_releases_its_slot() -> None:
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


async def test_a_request_that_leaves_its_lane_lets_the_next_request_enter() -> None:
    requests = concurrency.RequestLimiter()
    with requests.lane("a") as first, requests.lane("a") as second:
        fair_queue.leave_lane()  # has no effect, because no request has entered the lane
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


async def test_requests_read_rows_concurrently_and_build_responses_one_at_a_time() -> None:
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
    await fair_queue.enter_lane_after_read()  # has no effect outside of a request


async def test_a_request_that_has_ended_does_not_enter_its_lane() -> None:
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
async def test_heavy_reads_of_an_account_run_one_at_a_time_only_if_another_account_is_active(
    keys: tuple[str, str],
    graphql: graphql_client.Client,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    other_account_is_active: bool,
) -> None:
    async def send(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    first, second = keys
    await send(first, BLOCKED)  # afterwards the document and the size of the account are cached
    monkeypatch.setattr(concurrency, "HEAVY_COST", 0)
    blocker = await asyncpg.connect(database_url)
    try:
        lock = blocker.transaction()
        await lock.start()
        await blocker.execute("LOCK TABLE instances IN ACCESS EXCLUSIVE MODE")
        if other_account_is_active:
            await send(second, UNBLOCKED)
        pending = [asyncio.create_task(send(first, BLOCKED)) for _ in range(3)]
        await asyncio.sleep(0.5)
        waiting = await blocker.fetchval(
            """SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
               WHERE NOT granted AND datname = current_database()"""
        )
        await lock.rollback()
        for answer in await asyncio.gather(*pending):
            assert answer.json()["data"] == {"instances": {"totalCount": 0}}
    finally:
        await blocker.close()
    assert waiting == (1 if other_account_is_active else 3)


async def test_a_large_body_waits_only_while_another_large_body_of_its_account_is_received(
    keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = concurrency.RequestLimiter()
    monkeypatch.setattr(concurrency, "RequestLimiter", lambda: requests)
    graphql = graphql_client.Client()
    large = {**UNBLOCKED, "variables": {"unused": "x" * concurrency.HEAVY_BODY_BYTES}}

    async def send(key: str, body: object) -> httpx2.Response:
        return await graphql.http.post(
            graphql_client.URL, json=body, headers={"Authorization": f"Bearer {key}"}
        )

    async with asyncio.timeout(3):
        async with requests.receiving("a"):
            waiting = asyncio.create_task(send(keys[0], large))
            for key, body in ((keys[0], UNBLOCKED), (keys[1], large), (keys[1], UNBLOCKED)):
                assert (await send(key, body)).status_code == 200
            assert not waiting.done()
        assert (await waiting).status_code == 200


async def test_a_cheap_new_document_is_parsed_inside_the_lane_and_executed_outside(
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
            pending = asyncio.create_task(graphql("{ instances(first: 3) { nodes { id } } }"))
            await asyncio.sleep(0.2)
            assert not await blocker.fetchval(IS_LOCK_AWAITED)
        async with asyncio.timeout(3):
            while not await blocker.fetchval(IS_LOCK_AWAITED):  # noqa: ASYNC110 - PostgreSQL sends no event
                await asyncio.sleep(0.01)
            with requests.lane("a") as lane:
                await lane.enter()
        await lock.rollback()
        assert await pending == {"instances": {"nodes": []}}
    finally:
        await blocker.close()


async def test_an_export_does_not_wait_for_the_lane_of_its_account(
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
