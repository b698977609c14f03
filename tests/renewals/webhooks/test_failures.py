"""Failures of a receiver, and their effects on its own events and on those of other receivers."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.responses import RedirectResponse, Response

from renewals.db import connection as database
from renewals.domain import errors, stored_messages
from renewals.domain.messages import Message
from renewals.webhooks import (
    backoff,
    claims,
    dispatcher,
    endpoint_requests,
    endpoints,
    http_client,
    replays,
    secrets,
)
from tests.renewals.webhooks.conftest import Sending, put_parked
from tests.support import integrity
from tests.support.webhook_receiver import Got, Receiver, accept, always, listening, serving

STATE = "SELECT last_status, last_error::text, last_response FROM webhook_states"
WAITING = "SELECT sequence, attempts FROM webhook_deliveries WHERE parked_at IS NULL ORDER BY sequence"


async def test_a_failed_delivery_delays_only_the_later_events_of_its_instance(
    sending: Sending, receiver: Receiver
) -> None:
    async def answer(request: Got) -> Response:
        return Response(status_code=500 if request.data["instanceId"] == "bad" else 204)

    receiver.answer = answer
    await sending.endpoint(receiver)
    await sending.write("bad", "good", "bad", "good")
    async with sending.running():
        await receiver.wait(3)
        await sending.until_tried()
        await sending.write("bad", "good")
        await receiver.wait(4)
        assert {key for key in receiver.keys if key[1] in (3, 5)} == set()
        receiver.answer = accept
        sending.clock.ahead += dt.timedelta(seconds=6)
        await receiver.wait(6)
    receiver.assert_in_order()
    tries = [request for request in receiver.got if request.key == ("a", 1)]
    assert len(tries) == 2
    assert len({request.id for request in tries}) == 1
    assert await sending.world.count("webhook_deliveries") == 0


async def test_a_failing_delivery_is_retried_for_three_days_then_parked_and_can_be_replayed(
    sending: Sending, receiver: Receiver
) -> None:
    async def answer(request: Got) -> Response:
        return Response("no\0pe", status_code=400 if request.data["instanceId"] == "bad" else 204)

    receiver.answer = answer
    created = await sending.endpoint(receiver)
    endpoint_id = str(created.endpoint.id)
    await sending.write("bad", "bad")
    started_at = sending.clock()
    async with sending.running():
        for attempts, pause in enumerate(backoff.RETRY_PAUSES, start=1):
            await sending.until_tried(attempts)
            await sending.write("good")  # so that the endpoint has successful deliveries
            await receiver.wait(1 + attempts)
            assert (
                len([request for request in receiver.got if request.data["instanceId"] == "bad"]) == attempts
            )
            sending.clock.ahead += pause * (1 + backoff.JITTER)
        await sending.until("SELECT count(*) FROM webhook_deliveries WHERE parked_at IS NOT NULL", 1)
        assert dt.timedelta(hours=70) < sending.clock() - started_at < dt.timedelta(hours=80)
        [parked] = await list_parked_deliveries(sending)
        assert parked == (1, len(backoff.RETRY_PAUSES) + 1, 400, "no\N{REPLACEMENT CHARACTER}pe")
        await receiver.wait(2 + len(backoff.RETRY_PAUSES))  # the second event can be sent now
        receiver.answer = accept
        with pytest.raises(errors.InvalidInputError, match=r"input\.sequence"):
            await replays.replay("a", endpoint_id, "a", 2, sending.clock)
        await replays.replay("a", endpoint_id, "a", 1, sending.clock)
        sending.clock.ahead += dt.timedelta(seconds=10)
        await sending.until("SELECT count(*) FROM webhook_deliveries", 0)
    assert len({request.id for request in receiver.got if request.key == ("a", 1)}) == 1


async def list_parked_deliveries(sending: Sending) -> list[tuple[object, ...]]:
    return await sending.world.rows(
        "SELECT sequence, attempts, last_status, last_response FROM webhook_deliveries WHERE parked_at IS NOT NULL"
    )


def test_the_retry_pauses_grow_over_three_days_and_have_a_jitter_of_ten_percent() -> None:
    assert dt.timedelta(hours=70) < sum(backoff.RETRY_PAUSES, dt.timedelta()) <= dt.timedelta(days=3)
    assert list(backoff.RETRY_PAUSES) == sorted(backoff.RETRY_PAUSES)
    now = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    for attempts, pause in enumerate(backoff.RETRY_PAUSES, start=1):
        times = [backoff.next_attempt(attempts, now) for _ in range(200)]
        assert len(set(times)) > 100
        assert all(next_at and 0.9 * pause <= next_at - now <= 1.1 * pause for next_at in times)
    assert backoff.next_attempt(len(backoff.RETRY_PAUSES) + 1, now) is None


async def test_an_endpoint_that_returns_410_is_disabled_and_gets_all_events_after_it_is_enabled(
    sending: Sending, receiver: Receiver
) -> None:
    receiver.answer = always(410)
    created = await sending.endpoint(receiver)
    await sending.write(*[f"i-{number}" for number in range(50)])
    async with sending.running():
        await receiver.wait(1)
        await sending.until("SELECT disabled_reason IS NOT NULL FROM webhook_endpoints")
        assert (
            str((await endpoints.list_endpoints("a"))[0].disabled_reason) == "the endpoint returned 410 Gone"
        )
        request_count = len(receiver.got)
        await asyncio.sleep(0.5)
        assert len(receiver.got) == request_count <= 16
        receiver.answer = accept
        change = endpoint_requests.EndpointUpdate(is_enabled=True)
        await endpoints.update("a", str(created.endpoint.id), change, sending.clock)
        sending.clock.ahead += dt.timedelta(seconds=10)
        await receiver.wait(50)


@pytest.mark.parametrize("changed", ["enabled again", "another URL"])
async def test_waiting_deliveries_are_sent_at_once_after_a_change_of_the_endpoint(
    sending: Sending, receiver: Receiver, changed: str
) -> None:
    receiver.answer = always(500)
    created = await sending.endpoint(receiver)
    endpoint_id = str(created.endpoint.id)
    await sending.write("i-1", "i-1")
    async with sending.running(), listening() as new_receiver:
        await sending.until_tried()
        await database.execute(
            database.pool(),
            "UPDATE webhook_deliveries SET next_attempt_at = now() + interval '8 hours' WHERE attempts > 0",
        )
        if changed == "another URL":
            await endpoints.update(
                "a", endpoint_id, endpoint_requests.EndpointUpdate(url=new_receiver.url), sending.clock
            )
        else:
            for is_enabled in (False, True):
                receiver.answer = accept
                change = endpoint_requests.EndpointUpdate(is_enabled=is_enabled)
                await endpoints.update("a", endpoint_id, change, sending.clock)
        await sending.until("SELECT count(*) FROM webhook_deliveries", 0)
        assert receiver.keys + new_receiver.keys == [("a", 1), ("a", 1), ("a", 2)]
        assert new_receiver.keys == ([("a", 1), ("a", 2)] if changed == "another URL" else [])


async def test_a_request_that_fails_after_a_change_of_url_is_sent_to_the_new_url_at_once(
    sending: Sending, receiver: Receiver
) -> None:
    may_fail = asyncio.Event()

    async def answer(_: Got) -> Response:
        await may_fail.wait()
        return Response(status_code=500)

    receiver.answer = answer
    created = await sending.endpoint(receiver)
    await sending.write("i-1")
    async with sending.running(), listening() as new_receiver:
        await receiver.wait(1)
        change = endpoint_requests.EndpointUpdate(url=new_receiver.url)
        await endpoints.update("a", str(created.endpoint.id), change, sending.clock)
        may_fail.set()
        await new_receiver.wait(1, seconds=3)  # the schedule would retry after 5 s
        await sending.until("SELECT count(*) FROM webhook_deliveries", 0)


async def test_an_update_does_not_enable_an_endpoint_that_was_disabled_meanwhile(
    sending: Sending, receiver: Receiver
) -> None:
    endpoint = (await sending.endpoint(receiver)).endpoint
    async with database.transaction() as connection:
        await endpoints.disable_in(
            connection, endpoint.id, Message("the endpoint returned 410 Gone"), sending.clock()
        )
        change = endpoint_requests.EndpointUpdate(event_types=["instance.expired"])
        updated = await endpoints.update_in(connection, endpoint, change, sending.clock())
    assert str(updated.disabled_reason) == "the endpoint returned 410 Gone"
    assert await endpoints.list_endpoints("a") == [updated]


async def test_waiting_deliveries_of_an_event_type_that_is_no_longer_selected_are_dropped(
    sending: Sending, receiver: Receiver
) -> None:
    receiver.answer = always(500)
    created = await sending.endpoint(receiver)
    endpoint_id = str(created.endpoint.id)
    await sending.write("i-1")
    await sending.write("i-1", happened="instance.expired")
    await sending.write("i-1", "i-2", "i-2")
    async with sending.running():
        await sending.until(
            "SELECT count(*) FILTER (WHERE attempts > 0) = 2 AND count(*) = 5 FROM webhook_deliveries"
        )
        receiver.answer = accept
        change = endpoint_requests.EndpointUpdate(event_types=["instance.expired"])
        await endpoints.update("a", endpoint_id, change, sending.clock)
        await sending.until("SELECT count(*) FROM webhook_deliveries", 0)
    assert [key for key in receiver.keys if key[1] in (2, 3, 5)] == [("a", 2)]
    assert len(receiver.keys) == 3
    await integrity.assert_holds()


async def test_a_parked_delivery_of_an_event_type_that_is_not_selected_cannot_be_replayed(
    sending: Sending, receiver: Receiver
) -> None:
    created = await sending.endpoint(receiver, types=["instance.renewed"])
    endpoint_id = str(created.endpoint.id)
    await put_parked(endpoint_id)
    with pytest.raises(errors.InvalidInputError, match=r"input\.sequence: the endpoint does not receive"):
        await replays.replay("a", endpoint_id, "a", 1, sending.clock)
    assert await sending.value("SELECT count(*) FROM webhook_deliveries WHERE parked_at IS NOT NULL") == 1
    change = endpoint_requests.EndpointUpdate(event_types=[])
    await endpoints.update("a", endpoint_id, change, sending.clock)
    await replays.replay("a", endpoint_id, "a", 1, sending.clock)
    async with sending.running():
        await receiver.wait(1)


async def test_a_redirect_is_not_followed(sending: Sending, receiver: Receiver) -> None:
    async with listening() as redirect_target:

        async def answer(_: Got) -> Response:
            return RedirectResponse(redirect_target.url, 307)

        receiver.answer = answer
        await sending.endpoint(receiver)
        await sending.write("i-1")
        async with sending.running():
            await sending.until_tried()
        assert redirect_target.got == []
    assert await sending.world.row("SELECT last_status, last_error->>'text' FROM webhook_states") == (
        307,
        "redirects are not followed",
    )


async def test_only_an_excerpt_of_a_response_of_a_gigabyte_is_read(sending: Sending) -> None:
    sent = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")
        while sent < 2**30:
            writer.write(b"x" * 2**20)
            await writer.drain()
            sent += 2**20

    async with serving(answer) as url:
        await sending.endpoint(url)
        await sending.write("i-1")
        async with sending.running():
            await sending.until_delivered()
    assert (
        len(await sending.value("SELECT last_response FROM webhook_states")) == http_client.EXCERPT_LENGTH_MAX
    )
    assert sent < 2**26


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n"]
)
async def test_a_delivery_with_endless_interim_responses_fails_early(
    sending: Sending, interim: bytes
) -> None:
    sent = 0

    async def answer(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(interim * 1_000)
            await writer.drain()
            sent += 1_000

    async with serving(answer) as url:
        await sending.endpoint(url)
        await sending.write("i-1")
        async with sending.running():
            async with asyncio.timeout(http_client.REQUEST_SECONDS_MAX / 2):
                await sending.until_tried()
    status, error, _ = await sending.world.row(STATE)
    sentence = str(stored_messages.loads(error))
    assert (status, sentence) == (
        None,
        "the endpoint sent more than 32,768 bytes before the end of its response headers",
    )
    assert sent < 1_000_000, "no more than the buffers of the sockets"


async def test_a_delivery_with_a_few_interim_responses_succeeds(sending: Sending) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n" * 5)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    async with serving(answer) as url:
        await sending.endpoint(url)
        await sending.write("i-1")
        async with sending.running():
            await sending.until_delivered()


@pytest.mark.parametrize("how", ["hangs", "closes", "garbage", "drips"])
async def test_a_delivery_without_a_valid_response_is_tried_again(
    sending: Sending, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(http_client, "REQUEST_SECONDS_MAX", 0.3)

    async def answer(writer: asyncio.StreamWriter) -> None:
        if how == "hangs":
            await asyncio.sleep(3)
        elif how == "garbage":
            writer.write(b"\x16\x03\x01 not HTTP at all\r\n\r\n")
            await writer.drain()
        elif how == "drips":
            for letter in b"HTTP/1.1 204 No Content and a very long reason":
                writer.write(bytes([letter]))
                await asyncio.sleep(0.05)

    async with serving(answer) as url:
        await sending.endpoint(url)
        await sending.write("i-1")
        async with sending.running():
            await sending.until_tried()
            sending.clock.ahead += dt.timedelta(seconds=6)
            await sending.until_tried(2)
    status, error, _ = await sending.world.row(STATE)
    assert status is None
    assert str(stored_messages.loads(error)).startswith(("no response within", "the connection failed"))
    assert await sending.world.rows(WAITING) == [(1, 2)]


async def test_a_delivery_with_status_200_and_a_slow_body_succeeds(sending: Sending) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x")
            await asyncio.sleep(0.1)

    async with serving(answer) as url:
        await sending.endpoint(url)
        await sending.write("i-1")
        async with sending.running():
            await sending.until_delivered()


async def test_endpoints_that_do_not_respond_are_paused_and_do_not_delay_a_working_endpoint(
    sending: Sending, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_client, "REQUEST_SECONDS_MAX", 1.0)

    async def respond_too_late(_: Got) -> Response:
        await asyncio.sleep(5)
        return Response()

    async with contextlib.AsyncExitStack() as stack:
        unresponsive = [await stack.enter_async_context(listening(respond_too_late)) for _ in range(3)]
        sending.allow(webhook_endpoints_at_once=4)
        for endpoint in unresponsive:
            await sending.endpoint(endpoint, owner=None)
        await sending.endpoint(receiver)
        await sending.write(*[f"i-{number}" for number in range(200)])
        delays = []
        loop = asyncio.get_running_loop()
        async with sending.running():
            await receiver.wait(200)
            for number in range(20):
                wrote_at = loop.time()
                await sending.write(f"i-{number}")
                await receiver.wait(201 + number)
                delays.append(receiver.got[-1].at - wrote_at)
                await asyncio.sleep(0.1)
        assert max(delays) < 1
        for endpoint in unresponsive:
            assert len(endpoint.got) <= 16 + backoff.FAILURES_UNTIL_PAUSE
        rows = await sending.world.rows(
            "SELECT pause_count FROM webhook_states WHERE paused_until IS NOT NULL"
        )
        assert rows == [(1,)] * 3
        assert await sending.value("SELECT max(sequence) FROM webhook_cursors WHERE sequence < 200") < 30


async def test_slow_endpoints_do_not_delay_a_fast_endpoint(
    sending: Sending, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "SLOW_SECONDS", 0.3)
    monkeypatch.setattr(dispatcher, "BATCH_SECONDS_MAX", 2.0)
    sending.allow(webhook_endpoints_at_once=4, webhook_requests_at_once=1)

    async def respond_slowly(_: Got) -> Response:
        await asyncio.sleep(0.6)
        return Response(status_code=204)

    async with contextlib.AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(listening(respond_slowly)) for _ in range(8)]
        for endpoint in slow:
            await sending.endpoint(endpoint, owner=None)
        await sending.endpoint(receiver)
        await sending.write(*[f"i-{number}" for number in range(100)])
        delays = []
        loop = asyncio.get_running_loop()
        async with sending.running():
            await receiver.wait(100, seconds=8)
            for number in range(20):
                wrote_at = loop.time()
                await sending.write(f"i-{number}")
                await receiver.wait(101 + number)
                delays.append(receiver.got[-1].at - wrote_at)
                await asyncio.sleep(0.1)
        assert max(delays) < 1
        assert all(endpoint.got for endpoint in slow), "the slow endpoints still receive events"
        rows = await sending.world.rows("SELECT is_slow, count(*) FROM webhook_states GROUP BY 1 ORDER BY 1")
        assert rows == [(False, 1), (True, 8)]
        for endpoint in slow:
            endpoint.answer = accept
        async with sending.running():
            await sending.until("SELECT bool_and(delivered_count >= 120) FROM webhook_states")
        assert await sending.value("SELECT count(*) FROM webhook_states WHERE is_slow") == 0


async def test_all_waiting_events_are_delivered_in_order_after_an_endpoint_recovers(
    sending: Sending, receiver: Receiver
) -> None:
    receiver.answer = always(500)
    await sending.endpoint(receiver)
    await sending.write(*[f"i-{number % 40}" for number in range(400)])
    async with sending.running():
        for count in range(1, 5):
            await sending.until("SELECT max(pause_count) FROM webhook_states", count)
            sending.clock.ahead += dt.timedelta(minutes=40)
        receiver.answer = accept
        await receiver.wait(400)
    receiver.assert_in_order()
    assert await sending.world.count("webhook_deliveries") == 0
    assert await sending.world.rows(
        "SELECT failure_count, pause_count, paused_until, failing_since, delivered_count FROM webhook_states"
    ) == [(0, 0, None, None, 400)]


async def test_an_endpoint_without_a_successful_delivery_for_5_days_is_disabled(
    sending: Sending, receiver: Receiver
) -> None:
    receiver.answer = always(500)
    await sending.endpoint(receiver)
    await sending.write(*[f"i-{number}" for number in range(20)])
    async with sending.running(), asyncio.timeout(30):
        while (endpoint := (await endpoints.list_endpoints("a"))[0]).is_enabled:
            sending.clock.ahead += dt.timedelta(hours=6)
            await asyncio.sleep(0.2)
    assert str(endpoint.disabled_reason) == "no delivery succeeded for 5 days"


@pytest.mark.parametrize(("retry_after", "seconds"), [("120", 120), ("999999999999", 3600), ("soon", 0)])
async def test_the_retry_after_header_of_an_endpoint_delays_the_next_attempt_within_bounds(
    sending: Sending, receiver: Receiver, retry_after: str, seconds: int
) -> None:
    receiver.answer = always(503, retry_after=retry_after)
    await sending.endpoint(receiver)
    await sending.write("i-1")
    async with sending.running():
        await sending.until_tried()
        now = sending.clock()
        later = await sending.value("SELECT next_attempt_at FROM webhook_deliveries")
        assert abs((later - now).total_seconds() - max(seconds, 5)) < 3
        paused_until = await sending.value("SELECT paused_until FROM webhook_states")
        assert (paused_until is not None) == (seconds > 0)


def test_a_date_in_retry_after_is_parsed_and_an_invalid_value_is_ignored() -> None:
    now = dt.datetime(2027, 1, 1, 12, 0, tzinfo=dt.UTC)
    assert http_client.parse_retry_after("Fri, 01 Jan 2027 12:00:30 GMT", now) == 30
    assert http_client.parse_retry_after("Fri, 01 Jan 2027 11:00:00 GMT", now) == 0
    for invalid in (
        "yesterday",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "9 Jan 2027 00:00 +9999999999999",
    ):
        assert http_client.parse_retry_after(invalid, now) is None
    assert http_client.parse_retry_after(None, now) is None


async def test_an_endpoint_that_refuses_events_of_some_instances_gets_those_of_other_instances(
    sending: Sending, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "PAUSE_MIN", dt.timedelta(milliseconds=20))
    monkeypatch.setattr(backoff, "PAUSE_MAX", dt.timedelta(milliseconds=20))

    async def refuse_some(request: Got) -> Response:
        return Response(status_code=400 if str(request.data["instanceId"]).startswith("bad") else 204)

    receiver.answer = refuse_some
    await sending.endpoint(receiver)
    await sending.write(
        *[f"bad-{number}" for number in range(30)], *[f"good-{number}" for number in range(5)]
    )
    async with sending.running():
        await sending.until_delivered(5)
    assert {request.data["instanceId"] for request in receiver.got} >= {
        f"good-{number}" for number in range(5)
    }


async def test_all_events_from_a_sequence_number_on_can_be_replayed(
    sending: Sending, receiver: Receiver
) -> None:
    await sending.write("i-1")
    created = await sending.endpoint(receiver)
    await sending.write("i-1", "i-2", "i-1")
    async with sending.running():
        await receiver.wait(3)
        await replays.replay("a", str(created.endpoint.id), "a", 1, sending.clock, and_all_after=True)
        await receiver.wait(4)
        await sending.until_delivered(7)
    assert sorted(receiver.keys) == sorted([("a", 1)] + [("a", number) for number in (2, 3, 4)] * 2)
    for sequence in (0, 5):
        with pytest.raises(errors.InvalidInputError, match=r"input\.sequence"):
            await replays.replay(
                "a", str(created.endpoint.id), "a", sequence, sending.clock, and_all_after=True
            )


async def test_deliveries_are_also_signed_with_the_old_secret_until_its_overlap_ends(
    sending: Sending, receiver: Receiver
) -> None:
    first = await sending.endpoint(receiver)
    endpoint_id = str(first.endpoint.id)
    second = await endpoints.rotate("a", endpoint_id, "turn", sending.clock)
    assert (await endpoints.rotate("a", endpoint_id, "turn", sending.clock)).secret == second.secret
    await sending.write("i-1")
    async with sending.running():
        await receiver.wait(1)
    [request] = receiver.got
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (first.secret, second.secret):
        Webhook(secret).verify(request.body, request.headers)
    later = sending.clock() + dt.timedelta(hours=endpoint_requests.OVERLAP_HOURS_DEFAULT, seconds=1)
    assert await secrets.list_active(first.endpoint.id, later) == [second.secret]
    third = await endpoints.rotate("a", endpoint_id, "at once", sending.clock, overlap_hours=0)
    await sending.write("i-1")
    async with sending.running():
        await receiver.wait(2)
    with pytest.raises(WebhookVerificationError):
        Webhook(second.secret).verify(receiver.got[1].body, receiver.got[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first.secret).verify(receiver.got[1].body, receiver.got[1].headers)
    Webhook(third.secret).verify(receiver.got[1].body, receiver.got[1].headers)


async def test_a_rotation_repeated_with_its_key_is_executed_once_even_after_its_secret_ended(
    sending: Sending, receiver: Receiver
) -> None:
    created = await sending.endpoint(receiver)
    endpoint_id = str(created.endpoint.id)

    async def rotate(key: str, hours: int) -> str:
        return (await endpoints.rotate("a", endpoint_id, key, sending.clock, overlap_hours=hours)).secret

    first = await rotate("first", 24)
    with pytest.raises(errors.IdempotencyKeyReusedError, match="'first'"):
        await rotate("first", 0)
    second = await rotate("second", 0)
    stored = await sending.world.rows("SELECT secret FROM webhook_secrets ORDER BY number")
    assert stored == [("",), ("",), (second,)], "a secret is erased when it has ended"
    assert await rotate("first", 24) == second != first
    with pytest.raises(errors.IdempotencyKeyReusedError):
        await rotate("first", 0)
    assert await secrets.list_active(created.endpoint.id, sending.clock()) == [second]
    assert await secrets.list_active(created.endpoint.id, sending.clock() - dt.timedelta(minutes=1)) == [
        second
    ]


@pytest.mark.parametrize("creation_key", ["march", "rotate march"])
async def test_a_rotation_whose_key_resembles_that_of_the_creation_gives_a_new_secret(
    sending: Sending, receiver: Receiver, creation_key: str
) -> None:
    request = endpoint_requests.EndpointRequest(receiver.url, (), creation_key)
    created = await endpoints.create("a", request, sending.clock)
    rotated = await endpoints.rotate("a", str(created.endpoint.id), "march", sending.clock)
    assert rotated.secret != created.secret
    assert await endpoints.create("a", request, sending.clock) == created
    assert await endpoints.rotate("a", str(created.endpoint.id), "march", sending.clock) == rotated
    assert await secrets.list_active(created.endpoint.id, sending.clock()) == [rotated.secret, created.secret]


def test_a_claim_is_longer_than_a_batch_and_its_last_request() -> None:
    longest = dispatcher.BATCH_SECONDS_MAX + http_client.REQUEST_SECONDS_MAX + http_client.BODY_SECONDS_MAX
    assert longest < claims.CLAIM_SECONDS


async def test_webhook_secrets_are_encrypted_if_an_encryption_key_is_set(
    sending: Sending, receiver: Receiver, settings_override: Callable[..., None]
) -> None:
    old, new = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
    plain = await sending.endpoint(receiver)
    settings_override(webhook_keys=(old,))
    sealed = await sending.endpoint(receiver)
    stored = [
        row[0] for row in await sending.world.rows("SELECT secret FROM webhook_secrets ORDER BY created_at")
    ]
    assert stored[0] == plain.secret
    assert sealed.secret not in stored[1]
    settings_override(webhook_keys=(new, old))
    for created in (plain, sealed):
        assert await secrets.list_active(created.endpoint.id, sending.clock()) == [created.secret]
    settings_override(webhook_keys=(new,))
    await sending.write("i-1")
    async with sending.running():
        await receiver.wait(1)
        await sending.until_tried()
    assert "RENEWALS_WEBHOOK_KEYS" in await sending.value(
        "SELECT last_error::text FROM webhook_states WHERE endpoint_id = $1", sealed.endpoint.id
    )
