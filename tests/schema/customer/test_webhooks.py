"""Webhook endpoints in the API: each account can read and change only its own."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

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


async def send(graphql: Client, document: str, **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await graphql(document, input=arguments))["answer"]
    return result


async def create_endpoint(graphql: Client, key: str = "k", **arguments: Any) -> dict[str, Any]:
    result = await send(graphql, CREATE, **({"url": URL, "idempotencyKey": key} | arguments))
    assert result["__typename"] == "CreateWebhookEndpointSuccess"
    return result


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await world.account("a")
    await world.account("b")
    graphql.key = await world.key("a")
    return graphql


async def test_an_endpoint_is_created_once_per_key_and_its_secret_is_not_listed(
    client: Client,
) -> None:
    first = await create_endpoint(client, eventTypes=["instance.expired", "instance.expired"])
    again = await create_endpoint(client, eventTypes=["instance.expired"])
    assert first == again
    assert first["secret"].startswith("whsec_")
    assert first["endpoint"] == {
        "id": first["endpoint"]["id"],
        "url": URL,
        "eventTypes": ["instance.expired"],
        "enabled": True,
    }
    other = await send(client, CREATE, url=URL + "2", idempotencyKey="k")
    assert other["__typename"] == "IdempotencyKeyReused"
    listed = (await client(LIST))["webhookEndpoints"]
    assert [endpoint["id"] for endpoint in listed] == [first["endpoint"]["id"]]
    assert "secret" not in str(listed)


async def test_an_invalid_argument_of_an_endpoint_is_refused_with_its_path(
    client: Client, world: World, settings_override: Callable[..., None]
) -> None:
    settings_override(webhook_endpoints_max=1)
    for arguments, field in (
        ({"url": "http://hooks.example.com"}, "input.url"),
        ({"url": "https://169.254.169.254/latest"}, "input.url"),
        ({"eventTypes": ["instance.born"]}, "input.eventTypes"),
        ({"idempotencyKey": ""}, "input.idempotencyKey"),
    ):
        result = await send(client, CREATE, **({"url": URL, "idempotencyKey": "k"} | arguments))
        assert (result["__typename"], result["field"]) == ("InvalidInput", field)
    assert await world.count("webhook_endpoints") == 0
    await create_endpoint(client)
    result = await send(client, CREATE, url=URL, idempotencyKey="another")
    assert result == {
        "__typename": "InvalidInput",
        "field": "input",
        "message": "input: at most 1 endpoints are allowed; delete one first",
    }


async def test_an_endpoint_can_be_disabled_enabled_and_deleted(client: Client, world: World) -> None:
    endpoint_id = (await create_endpoint(client))["endpoint"]["id"]
    off = await send(client, UPDATE, id=endpoint_id, enabled=False)
    assert off["endpoint"]["disabledReason"] == "disabled by its owner"
    on = await send(client, UPDATE, id=endpoint_id, enabled=True, eventTypes=["instance.expired"])
    assert on["endpoint"] == {
        "id": endpoint_id,
        "url": URL,
        "eventTypes": ["instance.expired"],
        "enabled": True,
        "disabledReason": None,
    }
    wrong = await send(client, UPDATE, id=endpoint_id, url="https://10.0.0.1/", enabled=False)
    assert wrong["field"] == "input.url"
    assert (await client(LIST))["webhookEndpoints"][0]["enabled"]
    assert (await send(client, DELETE, id=endpoint_id))["id"] == endpoint_id
    assert (await client(LIST))["webhookEndpoints"] == []
    assert await world.count("webhook_secrets") == 0
    assert (await send(client, DELETE, id=endpoint_id))["field"] == "input.id"


async def test_a_rotation_beyond_three_valid_secrets_is_refused(client: Client) -> None:
    endpoint_id = (await create_endpoint(client))["endpoint"]["id"]
    secrets = [
        (await send(client, ROTATE, id=endpoint_id, idempotencyKey=key))["secret"] for key in ("1", "2", "2")
    ]
    assert secrets[1] == secrets[2] != secrets[0]
    assert (await send(client, ROTATE, id=endpoint_id, idempotencyKey="3"))["field"] == "input.id"
    too_long = await send(client, ROTATE, id=endpoint_id, idempotencyKey="4", overlapHours=169)
    assert too_long["field"] == "input.overlapHours"
    client.at(client.now + dt.timedelta(hours=24))
    assert "secret" in await send(client, ROTATE, id=endpoint_id, idempotencyKey="3")
    reused = await send(client, ROTATE, id=endpoint_id, idempotencyKey="3", overlapHours=1)
    assert reused["__typename"] == "IdempotencyKeyReused"


async def test_a_repeated_request_is_refused_if_the_key_that_encrypted_its_secret_was_removed(
    client: Client, world: World, settings_override: Callable[..., None]
) -> None:
    old, new = (SecretStr(Fernet.generate_key().decode()) for _ in range(2))
    settings_override(webhook_keys=(old,))
    endpoint_id = (await create_endpoint(client))["endpoint"]["id"]
    await send(client, ROTATE, id=endpoint_id, idempotencyKey="1")
    settings_override(webhook_keys=(new,))
    created = await send(client, CREATE, url=URL, idempotencyKey="k")
    rotated = await send(client, ROTATE, id=endpoint_id, idempotencyKey="1")
    assert created == rotated
    assert (rotated["__typename"], rotated["field"]) == ("InvalidInput", "input.idempotencyKey")
    assert rotated["message"] == (
        "input.idempotencyKey: was used, but the secret of that request can no longer be decrypted; "
        "call rotateWebhookSecret with a new key"
    )
    assert await world.count("webhook_secrets") == 2
    third = await send(client, ROTATE, id=endpoint_id, idempotencyKey="2")
    assert await send(client, ROTATE, id=endpoint_id, idempotencyKey="2") == third
    assert third["secret"].startswith("whsec_")


async def test_endpoints_of_another_account_or_of_the_provider_are_refused_like_unknown_endpoints(
    client: Client, world: World
) -> None:
    of_other_account = await endpoints.create(
        "b", endpoint_requests.EndpointRequest(URL, (), "k"), clocks.utc_now
    )
    of_provider = await endpoints.create(
        None, endpoint_requests.EndpointRequest(URL, (), "k"), clocks.utc_now
    )
    before = await world.snapshot()
    assert (await client(LIST))["webhookEndpoints"] == []
    for document, arguments in (
        (UPDATE, {"enabled": False}),
        (ROTATE, {"idempotencyKey": "x"}),
        (DELETE, {}),
        (REPLAY, {"sequence": 1}),
        (REPLAY, {"sequence": 1, "andAllAfter": True}),
        (TEST, {}),
    ):
        ids = [str(of_other_account.endpoint.id), str(of_provider.endpoint.id), str(uuid.uuid4()), "none", ""]
        results = [await send(client, document, id=endpoint_id, **arguments) for endpoint_id in ids]
        assert results == [
            {
                "__typename": "InvalidInput",
                "field": "input.id",
                "message": f"input.id: there is no endpoint {endpoint_id!r}",
            }
            for endpoint_id in ids
        ]
    assert await world.snapshot() == before


async def test_a_parked_delivery_is_listed_and_can_be_replayed(client: Client, world: World) -> None:
    endpoint_id = (await create_endpoint(client))["endpoint"]["id"]
    async with database.transaction() as connection:
        draft = event_log.NewEvent("a", event_log.EventType.POLICY_CHANGED, "i-1", {})
        await event_log.append_events(connection, [draft, draft], client.now, model.WORKER)
    assert (await client(LIST))["webhookEndpoints"][0]["behindCount"] == 2
    await database.execute(database.pool(), "UPDATE webhook_cursors SET sequence = 2")
    await database.execute(
        database.pool(),
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, parked_at, last_status)
           VALUES ($1, 'a', 1, 'i-1', 13, now(), 500)""",
        uuid.UUID(endpoint_id),
    )
    [endpoint] = (await client(LIST))["webhookEndpoints"]
    parked = {
        "sequence": 1,
        "type": "policy.changed",
        "instanceId": "i-1",
        "state": "PARKED",
        "attempts": 13,
        "lastStatus": 500,
    }
    assert (endpoint["parkedCount"], endpoint["waitingCount"], endpoint["deliveries"]) == (1, 0, [parked])
    replayed = await send(client, REPLAY, id=endpoint_id, sequence=1)
    assert replayed["endpoint"] == {"waitingCount": 1, "parkedCount": 0, "behindCount": 0}
    assert (await send(client, REPLAY, id=endpoint_id, sequence=1))["field"] == "input.sequence"
    from_first = await send(client, REPLAY, id=endpoint_id, sequence=1, andAllAfter=True)
    assert from_first["endpoint"] == {"waitingCount": 0, "parkedCount": 0, "behindCount": 2}
    [error] = await client.errors("{ webhookEndpoints { deliveries(first: 0) { sequence } } }")
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}


async def test_a_test_request_returns_the_status_and_the_response_of_the_receiver(
    client: Client, settings_override: Callable[..., None]
) -> None:
    settings_override(webhook_http=True, webhook_ports=tuple(range(1024, 65536)), webhook_networks=LOOPBACK)
    async with listening(always(418)) as receiver:
        endpoint_id = (await create_endpoint(client, url=receiver.url))["endpoint"]["id"]
        result = await send(client, TEST, id=endpoint_id)
    assert result == {
        "__typename": "SendTestWebhookSuccess",
        "delivered": False,
        "status": 418,
        "error": None,
        "response": "a word",
    }
    [request] = receiver.got
    assert b'"type":"webhook.test"' in request.body
    refused = await send(client, TEST, id=endpoint_id)
    assert (refused["delivered"], refused["error"]) == (False, "no connection: refused or unreachable")


@pytest.mark.parametrize(
    ("header", "unreachable", "disabled"),
    [
        ("en", "no connection: refused or unreachable", "disabled by its owner"),
        ("zh-CN", "无法连接：对方拒绝连接或地址不可达", "由所有者停用"),
    ],
)
async def test_errors_and_disabled_reasons_of_endpoints_are_in_the_language_of_the_request(
    client: Client,
    settings_override: Callable[..., None],
    header: str,
    unreachable: str,
    disabled: str,
) -> None:
    settings_override(webhook_http=True, webhook_ports=tuple(range(1024, 65536)), webhook_networks=LOOPBACK)
    client.http.headers["Accept-Language"] = header
    endpoint_id = (await create_endpoint(client, url="http://127.0.0.1:1024/"))["endpoint"]["id"]
    assert (await send(client, TEST, id=endpoint_id))["error"] == unreachable
    await send(client, UPDATE, id=endpoint_id, enabled=False)
    [endpoint] = (await client("{ webhookEndpoints { disabledReason lastError } }"))["webhookEndpoints"]
    assert endpoint == {"disabledReason": disabled, "lastError": None}


async def test_a_replay_of_an_event_that_does_not_exist_is_refused(client: Client) -> None:
    endpoint_id = (await create_endpoint(client))["endpoint"]["id"]
    result = await send(client, REPLAY, id=endpoint_id, sequence=1, andAllAfter=True)
    assert result["message"] == "input.sequence: the account has no events"
