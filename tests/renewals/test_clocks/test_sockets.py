"""A web socket that stays open uses the current test clock, and receives the events of a move (rule 37)."""

import asyncio
import datetime as dt

import gql

from tests.graphql_api.graphql.test_subscriptions import create_client, server, take
from tests.renewals.test_clocks import lives
from tests.support.fixtures import NOW, World
from tests.support.live_server import LiveServer

__all__ = ["server"]


async def test_a_query_on_an_open_web_socket_uses_the_current_test_clock(
    world: World, server: LiveServer
) -> None:
    await world.account("t", test_clock=NOW)
    await world.instance("t-1", account="t", expires="2027-01-20")
    request = gql.gql('{ account { testClock } instance(id: "t-1") { status } }')
    async with create_client(server, await world.key("t")) as session:
        before = await session.execute(request)
        await lives.move("t", NOW + dt.timedelta(days=11))
        after = await session.execute(request)
    assert before == {
        "account": {"testClock": "2027-01-10T04:00:00+00:00"},
        "instance": {"status": "RUNNING"},
    }
    assert after == {"account": {"testClock": "2027-01-21T04:00:00+00:00"}, "instance": {"status": "EXPIRED"}}


async def test_a_subscriber_receives_the_events_of_a_move_of_the_test_clock(
    world: World, server: LiveServer
) -> None:
    await world.account("t", balance="500.00", test_clock=NOW)
    await world.instance("t-1", account="t", expires="2027-01-12", mode="AUTO", price="300.00")
    taking = asyncio.create_task(take(create_client(server, await world.key("t")), 2, after=0))
    await lives.move("t", NOW + dt.timedelta(days=3))
    renewed, shortfall = await asyncio.wait_for(taking, 20)
    assert (renewed["type"], renewed["occurredAt"]) == ("instance.renewed", "2027-01-11T16:30:00+00:00")
    assert renewed["payload"]["testClock"] is True
    assert shortfall["sequence"] == 2


async def test_the_instance_of_a_subscribed_event_is_read_at_the_current_test_clock(
    world: World, server: LiveServer
) -> None:
    await world.account("t", test_clock=NOW)
    await world.instance("t-1", account="t", expires="2027-01-12")
    request = gql.gql("subscription { events(after: 0) { type instance { status daysLeft } } }")
    async with create_client(server, await world.key("t")) as session:
        stream = session.subscribe(request)
        first = asyncio.create_task(anext(stream))
        await lives.move("t", NOW + dt.timedelta(days=1))
        assert (await asyncio.wait_for(first, 20))["events"]["type"] == "instance.expiring"
        await lives.move("t", NOW + dt.timedelta(days=3))
        async for answer in stream:
            if answer["events"]["type"] == "instance.expired":
                break
    assert answer["events"]["instance"] == {"status": "EXPIRED", "daysLeft": -1}
