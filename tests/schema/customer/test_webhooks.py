"""Webhook endpoints in the API: each account can read and change only its own."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.events import event_log
from renewals.webhooks import endpoint_requests, endpoints
from tests.renewals.webhooks.conftest import LOOPBACK
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.webhook_receiver import always, listening

URL = "https://hooks.example.com/renewals"
CREATE = """mutation($input: CreateWebhookEndpointInput!) { answer: createWebhookEndpoint(input: $input) {
  __typename
  ... on CreateWebhookEndpointSuccess { secret endpoint { id url eventTypes enabled } }
  ... on IdempotencyKeyReused { message } ... on InvalidInput { field message } } }"""
UPDATE = """mutation($input: UpdateWebhookEndpointInput!) { answer: updateWebhookEndpoint(input: $input) {
  __typename
  ... on UpdateWebhookEndpointSuccess { endpoint { id url eventTypes enabled disabledReason } }
  ... on InvalidInput { field message } } }"""
ROTATE = """mutation($input: RotateWebhookSecretInput!) { answer: rotateWebhookSecret(input: $input) {
  __typename ... on RotateWebhookSecretSuccess { secret endpoint { id } } ... on InvalidInput { field message } } }"""
DELETE = """mutation($input: DeleteWebhookEndpointInput!) { answer: deleteWebhookEndpoint(input: $input) {
  __typename ... on DeleteWebhookEndpointSuccess { id } ... on InvalidInput { field message } } }"""
REPLAY = """mutation($input: ReplayWebhookDeliveryInput!) { answer: replayWebhookDelivery(input: $input) {
  __typename
  ... on ReplayWebhookDeliverySuccess { endpoint { waitingCount parkedCount behindCount } }
  ... on InvalidInput { field message } } }"""
TEST = """mutation($input: SendTestWebhookInput!) { answer: sendTestWebhook(input: $input) {
  __typename
  ... on SendTestWebhookSuccess { delivered status error response } ... on InvalidInput { field message } } }"""
LIST = """{ webhookEndpoints { id url eventTypes enabled disabledReason lastStatus lastError waitingCount parkedCount
  behindCount failureCount deliveries { sequence type instanceId state attempts lastStatus } } }"""


async def ask(graphql: Client, document: str, **given: Any) -> dict[str, Any]:
    answer: dict[str, Any] = (await graphql(document, input=given))["answer"]
    return answer


async def create(graphql: Client, key: str = "k", **given: Any) -> dict[str, Any]:
    answer = await ask(graphql, CREATE, **({"url": URL, "idempotencyKey": key} | given))
    assert answer["__typename"] == "CreateWebhookEndpointSuccess"
    return answer


@pytest.fixture
async def asked(world: World, graphql: Client) -> Client:
    await world.account("a")
    await world.account("b")
    graphql.key = await world.key("a")
    return graphql


async def test_an_endpoint_is_made_once_with_a_secret(asked: Client) -> None:
    first = await create(asked, eventTypes=["instance.expired", "instance.expired"])
    again = await create(asked, eventTypes=["instance.expired"])
    assert first == again
    assert first["secret"].startswith("whsec_")
    assert first["endpoint"] == {
        "id": first["endpoint"]["id"],
        "url": URL,
        "eventTypes": ["instance.expired"],
        "enabled": True,
    }
    other = await ask(asked, CREATE, url=URL + "2", idempotencyKey="k")
    assert other["__typename"] == "IdempotencyKeyReused"
    listed = (await asked(LIST))["webhookEndpoints"]
    assert [each["id"] for each in listed] == [first["endpoint"]["id"]]
    assert "secret" not in str(listed)


async def test_an_invalid_argument_is_refused_by_name(
    asked: Client, world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(webhook_endpoints_max=1)
    for given, field in (
        ({"url": "http://hooks.example.com"}, "input.url"),
        ({"url": "https://169.254.169.254/latest"}, "input.url"),
        ({"eventTypes": ["instance.born"]}, "input.eventTypes"),
        ({"idempotencyKey": ""}, "input.idempotencyKey"),
    ):
        answer = await ask(asked, CREATE, **({"url": URL, "idempotencyKey": "k"} | given))
        assert (answer["__typename"], answer["field"]) == ("InvalidInput", field)
    assert await world.count("webhook_endpoints") == 0
    await create(asked)
    answer = await ask(asked, CREATE, url=URL, idempotencyKey="another")
    assert answer == {
        "__typename": "InvalidInput",
        "field": "input",
        "message": "input: at most 1 endpoints are allowed; delete one first",
    }


async def test_an_endpoint_is_changed_and_deleted(asked: Client, world: World) -> None:
    endpoint_id = (await create(asked))["endpoint"]["id"]
    off = await ask(asked, UPDATE, id=endpoint_id, enabled=False)
    assert off["endpoint"]["disabledReason"] == "disabled by its owner"
    on = await ask(asked, UPDATE, id=endpoint_id, enabled=True, eventTypes=["instance.expired"])
    assert on["endpoint"] == {
        "id": endpoint_id,
        "url": URL,
        "eventTypes": ["instance.expired"],
        "enabled": True,
        "disabledReason": None,
    }
    wrong = await ask(asked, UPDATE, id=endpoint_id, url="https://10.0.0.1/", enabled=False)
    assert wrong["field"] == "input.url"
    assert (await asked(LIST))["webhookEndpoints"][0]["enabled"]
    assert (await ask(asked, DELETE, id=endpoint_id))["id"] == endpoint_id
    assert (await asked(LIST))["webhookEndpoints"] == []
    assert await world.count("webhook_secrets") == 0
    assert (await ask(asked, DELETE, id=endpoint_id))["field"] == "input.id"


async def test_no_more_than_three_secrets_sign(asked: Client) -> None:
    endpoint_id = (await create(asked))["endpoint"]["id"]
    secrets = [
        (await ask(asked, ROTATE, id=endpoint_id, idempotencyKey=key))["secret"] for key in ("1", "2", "2")
    ]
    assert secrets[1] == secrets[2] != secrets[0]
    assert (await ask(asked, ROTATE, id=endpoint_id, idempotencyKey="3"))["field"] == "input.id"
    hours = await ask(asked, ROTATE, id=endpoint_id, idempotencyKey="4", overlapHours=169)
    assert hours["field"] == "input.overlapHours"
    asked.at(asked.now + dt.timedelta(hours=24))
    assert "secret" in await ask(asked, ROTATE, id=endpoint_id, idempotencyKey="3")
    reused = await ask(asked, ROTATE, id=endpoint_id, idempotencyKey="3", overlapHours=1)
    assert reused["__typename"] == "IdempotencyKeyReused"


async def test_the_endpoints_of_others_are_as_if_they_were_not_there(asked: Client, world: World) -> None:
    foreign = await endpoints.create("b", endpoint_requests.EndpointRequest(URL, (), "k"), clocks.utc_now)
    providers = await endpoints.create(None, endpoint_requests.EndpointRequest(URL, (), "k"), clocks.utc_now)
    before = await world.snapshot()
    assert (await asked(LIST))["webhookEndpoints"] == []
    for document, more in (
        (UPDATE, {"enabled": False}),
        (ROTATE, {"idempotencyKey": "x"}),
        (DELETE, {}),
        (REPLAY, {"sequence": 1}),
        (REPLAY, {"sequence": 1, "andAllAfter": True}),
        (TEST, {}),
    ):
        ids = [str(foreign.endpoint.id), str(providers.endpoint.id), str(uuid.uuid4()), "none", ""]
        answers = [await ask(asked, document, id=each, **more) for each in ids]
        assert answers == [
            {
                "__typename": "InvalidInput",
                "field": "input.id",
                "message": f"input.id: there is no endpoint {each!r}",
            }
            for each in ids
        ]
    assert await world.snapshot() == before


async def test_a_parked_delivery_is_shown_and_replayed(asked: Client, world: World) -> None:
    endpoint_id = (await create(asked))["endpoint"]["id"]
    async with database.transaction() as connection:
        draft = event_log.NewEvent("a", event_log.EventType.POLICY_CHANGED, "i-1", {})
        await event_log.append_events(connection, [draft, draft], asked.now, model.WORKER)
    assert (await asked(LIST))["webhookEndpoints"][0]["behindCount"] == 2
    await database.execute(database.pool(), "UPDATE webhook_cursors SET sequence = 2")
    await database.execute(
        database.pool(),
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, parked_at, last_status)
           VALUES ($1, 'a', 1, 'i-1', 13, now(), 500)""",
        uuid.UUID(endpoint_id),
    )
    [shown] = (await asked(LIST))["webhookEndpoints"]
    parked = {
        "sequence": 1,
        "type": "policy.changed",
        "instanceId": "i-1",
        "state": "PARKED",
        "attempts": 13,
        "lastStatus": 500,
    }
    assert (shown["parkedCount"], shown["waitingCount"], shown["deliveries"]) == (1, 0, [parked])
    replayed = await ask(asked, REPLAY, id=endpoint_id, sequence=1)
    assert replayed["endpoint"] == {"waitingCount": 1, "parkedCount": 0, "behindCount": 0}
    assert (await ask(asked, REPLAY, id=endpoint_id, sequence=1))["field"] == "input.sequence"
    from_first = await ask(asked, REPLAY, id=endpoint_id, sequence=1, andAllAfter=True)
    assert from_first["endpoint"] == {"waitingCount": 0, "parkedCount": 0, "behindCount": 2}
    [error] = await asked.errors("{ webhookEndpoints { deliveries(first: 0) { sequence } } }")
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}


async def test_a_test_request_returns_the_response(
    asked: Client, settings_override: Callable[..., None]
) -> None:
    settings_override(webhook_http=True, webhook_ports=tuple(range(1024, 65536)), webhook_networks=LOOPBACK)
    async with listening(always(418)) as receiver:
        endpoint_id = (await create(asked, url=receiver.url))["endpoint"]["id"]
        answer = await ask(asked, TEST, id=endpoint_id)
    assert answer == {
        "__typename": "SendTestWebhookSuccess",
        "delivered": False,
        "status": 418,
        "error": None,
        "response": "a word",
    }
    [got] = receiver.got
    assert b'"type":"webhook.test"' in got.body
    refused = await ask(asked, TEST, id=endpoint_id)
    assert (refused["delivered"], refused["error"]) == (False, "no connection: refused or unreachable")


@pytest.mark.parametrize(
    ("header", "unreachable", "disabled"),
    [
        ("en", "no connection: refused or unreachable", "disabled by its owner"),
        ("zh-CN", "无法连接：对方拒绝连接或地址不可达", "由所有者停用"),
    ],
)
async def test_reasons_are_in_the_language_of_the_request(
    asked: Client,
    settings_override: Callable[..., None],
    header: str,
    unreachable: str,
    disabled: str,
) -> None:
    settings_override(webhook_http=True, webhook_ports=tuple(range(1024, 65536)), webhook_networks=LOOPBACK)
    asked.http.headers["Accept-Language"] = header
    endpoint_id = (await create(asked, url="http://127.0.0.1:1024/"))["endpoint"]["id"]
    assert (await ask(asked, TEST, id=endpoint_id))["error"] == unreachable
    await ask(asked, UPDATE, id=endpoint_id, enabled=False)
    [endpoint] = (await asked("{ webhookEndpoints { disabledReason lastError } }"))["webhookEndpoints"]
    assert endpoint == {"disabledReason": disabled, "lastError": None}


async def test_an_event_that_does_not_exist_is_not_replayed(asked: Client) -> None:
    endpoint_id = (await create(asked))["endpoint"]["id"]
    answer = await ask(asked, REPLAY, id=endpoint_id, sequence=1, andAllAfter=True)
    assert answer["message"] == "input.sequence: the account has no events"
