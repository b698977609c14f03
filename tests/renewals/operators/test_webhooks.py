"""Test the provider's webhook endpoints, which receive the events of all accounts."""

import asyncio
import uuid
from typing import Any

import pytest
from standardwebhooks import Webhook

from renewals.domain import clock as clocks
from renewals.webhooks import endpoint_requests, endpoints
from tests.renewals.webhooks.conftest import Sending, put_parked
from tests.support import integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator
from tests.support.webhook_receiver import Got, Receiver, always

URL = "https://hooks.example.com/renewals"
ENDPOINT = (
    "{ endpoint { id accountId url eventTypes enabled disabledReason waitingCount parkedCount behindCount } }"
)
WITH_SECRET = "{ secret endpoint { id } }"
LIST = """query($accountId: ID, $after: WebhookDeliveryKey) { webhookEndpoints(accountId: $accountId) {
  id accountId url enabled parkedCount deliveries(after: $after) { accountId sequence state attempts lastStatus } } }"""
LOG = "{ auditLog { nodes { operatorName action accountIds request before after } } }"
CHANGES: dict[str, dict[str, Any]] = {
    "updateWebhookEndpoint": {"enabled": False},
    "rotateWebhookSecret": {"overlapHours": 1},
    "deleteWebhookEndpoint": {},
    "replayWebhookDelivery": {"accountId": "a", "sequence": 1},
    "sendTestWebhook": {},
}
"""The mutations that change an existing endpoint, with their input apart from its id."""


async def create_endpoint(operator: Operator, url: str = URL, **sent: Any) -> tuple[str, str]:
    """Create an endpoint of the provider; return its id and secret."""
    created = await operator.done("createWebhookEndpoint", WITH_SECRET, url=url, **sent)
    return created["endpoint"]["id"], created["secret"]


async def list_endpoints(operator: Operator, **arguments: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await operator(LIST, **arguments))["webhookEndpoints"]
    return rows


async def list_audit_entries(operator: Operator) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await operator(LOG))["auditLog"]["nodes"]
    return rows


async def test_the_secret_of_a_new_endpoint_is_returned_once(world: World, operator: Operator) -> None:
    sent = {"url": URL, "eventTypes": ["instance.renewed", "instance.expired"]}
    first = await operator.done("createWebhookEndpoint", "{ secret " + ENDPOINT[1:], key="k", **sent)
    endpoint_id = first["endpoint"]["id"]
    assert first["secret"].startswith("whsec_")
    assert first["endpoint"] == {
        "id": endpoint_id,
        "accountId": None,
        "url": URL,
        "eventTypes": ["instance.expired", "instance.renewed"],
        "enabled": True,
        "disabledReason": None,
        "waitingCount": 0,
        "parkedCount": 0,
        "behindCount": 0,
    }
    again = await operator.done("createWebhookEndpoint", "{ secret " + ENDPOINT[1:], key="k", **sent)
    assert again == {"secret": None, "endpoint": first["endpoint"]}
    assert await world.count("webhook_endpoints") == await world.count("audit_log") == 1
    assert [endpoint["id"] for endpoint in await list_endpoints(operator)] == [endpoint_id]


async def test_the_audit_entry_of_an_endpoint_update_has_the_values_before_and_after(
    world: World, operator: Operator
) -> None:
    endpoint_id, _ = await create_endpoint(operator)
    off = await operator.done("updateWebhookEndpoint", ENDPOINT, id=endpoint_id, enabled=False)
    assert off["endpoint"]["disabledReason"] == str(endpoints.DISABLED_BY_OWNER)
    other_url = URL + "/2"
    on = await operator.done(
        "updateWebhookEndpoint",
        ENDPOINT,
        id=endpoint_id,
        enabled=True,
        url=other_url,
        eventTypes=["instance.expired"],
    )
    assert (on["endpoint"]["url"], on["endpoint"]["enabled"]) == (other_url, True)
    last = (await list_audit_entries(operator))[0]
    assert (last["operatorName"], last["action"]) == ("ops", "UPDATE_WEBHOOK_ENDPOINT")
    assert last["accountIds"] == []
    assert last["request"]["change"] == {
        "url": other_url,
        "event_types": ["instance.expired"],
        "is_enabled": True,
    }
    changed = ("url", "event_types", "disabled_reason")
    assert [last["before"][name] for name in changed] == [URL, [], {"text": str(endpoints.DISABLED_BY_OWNER)}]
    assert [last["after"][name] for name in changed] == [other_url, ["instance.expired"], None]


async def test_a_rotated_secret_is_returned_once_and_the_end_of_the_old_secret_is_logged(
    world: World, operator: Operator
) -> None:
    endpoint_id, first = await create_endpoint(operator)
    sent = {"id": endpoint_id, "overlapHours": 2}
    rotated = await operator.done("rotateWebhookSecret", WITH_SECRET, key="r", **sent)
    assert rotated["secret"].startswith("whsec_") and rotated["secret"] != first
    again = await operator.done("rotateWebhookSecret", WITH_SECRET, key="r", **sent)
    assert again == {"secret": None, "endpoint": {"id": endpoint_id}}
    assert await world.count("webhook_secrets") == 2
    assert (await list_audit_entries(operator))[0]["after"] == {
        "earlier_secrets_end_by": "2027-01-10T06:00:00+00:00"
    }


async def test_no_webhook_secret_is_in_the_audit_log(world: World, operator: Operator) -> None:
    endpoint_id, first = await create_endpoint(operator)
    rotated = await operator.done("rotateWebhookSecret", WITH_SECRET, id=endpoint_id)
    await operator.done("updateWebhookEndpoint", id=endpoint_id, enabled=False)
    await operator.done("deleteWebhookEndpoint", id=endpoint_id)
    rows = [row for (row,) in await world.rows("SELECT t::text FROM audit_log t")]
    assert len(rows) == 4
    for row in rows:
        assert first not in row and rotated["secret"] not in row and "whsec" not in row


async def test_an_endpoint_is_deleted_with_its_secrets(world: World, operator: Operator) -> None:
    endpoint_id, _ = await create_endpoint(operator, key="made")
    deleted = await operator.done("deleteWebhookEndpoint", "{ id }", key="d", id=endpoint_id)
    assert deleted == {"id": endpoint_id}
    assert await operator.done("deleteWebhookEndpoint", "{ id }", key="d", id=endpoint_id) == deleted
    assert await list_endpoints(operator) == []
    assert await world.count("webhook_secrets") == 0
    assert (await list_audit_entries(operator))[0]["before"]["url"] == URL
    repeated = await operator.done("createWebhookEndpoint", WITH_SECRET, key="made", url=URL)
    assert repeated == {"secret": None, "endpoint": None}, "the endpoint is not created again"


async def test_a_parked_delivery_of_an_account_is_replayed(world: World, operator: Operator) -> None:
    await world.account("a")
    await world.account("b")
    endpoint_id, _ = await create_endpoint(operator)
    await put_parked(endpoint_id, "a")
    await put_parked(endpoint_id, "b")
    sent: dict[str, Any] = {"id": endpoint_id, "accountId": "b", "sequence": 1}
    replayed = await operator.done("replayWebhookDelivery", ENDPOINT, key="r", **sent)
    assert (replayed["endpoint"]["waitingCount"], replayed["endpoint"]["parkedCount"]) == (1, 1)
    assert await operator.done("replayWebhookDelivery", ENDPOINT, key="r", **sent) == replayed
    refused = await operator.refused("replayWebhookDelivery", **sent)
    assert refused[:2] == ("InvalidInput", "input.sequence")
    all_replayed = await operator.done("replayWebhookDelivery", ENDPOINT, **sent, andAllAfter=True)
    assert (all_replayed["endpoint"]["waitingCount"], all_replayed["endpoint"]["behindCount"]) == (0, 1)
    assert [entry["accountIds"] for entry in await list_audit_entries(operator)] == [["b"], ["b"], []]
    await integrity.assert_holds()


@pytest.mark.parametrize("account_id", ["nobody", "", "\0"])
async def test_a_replay_for_an_unknown_account_returns_not_found(
    world: World, operator: Operator, account_id: str
) -> None:
    endpoint_id, _ = await create_endpoint(operator)
    refused = await operator.refused(
        "replayWebhookDelivery", id=endpoint_id, accountId=account_id, sequence=1, andAllAfter=True
    )
    assert refused[:2] == ("NotFound", "input.accountId")


async def test_a_test_message_is_sent_once_for_a_key_and_logged(
    sending: Sending, operator: Operator, receiver: Receiver
) -> None:
    receiver.answer = always(418)
    endpoint_id, _ = await create_endpoint(operator, receiver.url)
    select = "{ delivered status error response }"
    expected = {"delivered": False, "status": 418, "error": None, "response": "a word"}
    for _ in range(2):
        assert await operator.done("sendTestWebhook", select, key="t", id=endpoint_id) == expected
    [message] = receiver.got
    assert message.data == {"accountId": None}
    assert (await list_audit_entries(operator))[0]["after"] == expected


async def test_a_second_test_message_is_refused_while_the_first_is_being_sent(
    sending: Sending, operator: Operator, receiver: Receiver
) -> None:
    may_respond = asyncio.Event()

    async def respond_when_allowed(message: Got) -> Any:
        await may_respond.wait()
        return await always(204)(message)

    receiver.answer = respond_when_allowed
    endpoint_id, _ = await create_endpoint(operator, receiver.url)
    first = asyncio.create_task(operator.done("sendTestWebhook", "{ status }", key="t", id=endpoint_id))
    await receiver.wait(1)
    for key in ("t", "another"):
        refused = await operator.refused("sendTestWebhook", key=key, id=endpoint_id)
        assert refused[:2] == ("InvalidInput", "input.id")
    may_respond.set()
    assert await first == {"status": 204}
    assert await operator.done("sendTestWebhook", "{ status }", key="t", id=endpoint_id) == {"status": 204}
    assert len(receiver.got) == 1


async def test_the_provider_receives_events_of_every_account(
    sending: Sending, operator: Operator, receiver: Receiver
) -> None:
    await sending.world.account("b")
    operator.at(sending.clock())
    _, secret = await create_endpoint(operator, receiver.url, eventTypes=["policy.changed"])
    await sending.write("i-1", account="a")
    await sending.write("i-2", account="b")
    async with sending.running():
        await receiver.wait(2)
    assert sorted(receiver.keys) == [("a", 1), ("b", 1)]
    for message in receiver.got:
        Webhook(secret).verify(message.body, message.headers)


async def test_deliveries_of_all_accounts_are_paged(world: World, operator: Operator) -> None:
    await world.account("a")
    await world.account("b")
    endpoint_id, _ = await create_endpoint(operator)
    await put_parked(endpoint_id, "a")
    await put_parked(endpoint_id, "b")
    parked = {"sequence": 1, "state": "PARKED", "attempts": 13, "lastStatus": 500}
    [endpoint] = await list_endpoints(operator)
    assert endpoint["deliveries"] == [{"accountId": "a", **parked}, {"accountId": "b", **parked}]
    [endpoint] = await list_endpoints(operator, after={"accountId": "a", "sequence": 1})
    assert endpoint["deliveries"] == [{"accountId": "b", **parked}]
    [error] = await operator.errors(LIST, after={"accountId": "\0", "sequence": 1})
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "after.accountId"}


async def test_operators_read_but_cannot_change_an_accounts_endpoints(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    await world.account("b")
    request = endpoint_requests.EndpointRequest(URL, (), "k")
    endpoint_id = str((await endpoints.create("a", request, clocks.utc_now)).endpoint.id)
    await put_parked(endpoint_id, "a")
    [endpoint] = await list_endpoints(operator, accountId="a")
    assert (endpoint["id"], endpoint["accountId"], endpoint["parkedCount"]) == (endpoint_id, "a", 1)
    assert [delivery["accountId"] for delivery in endpoint["deliveries"]] == ["a"]
    for other_account_id in (None, "b", "nobody", "", "\0"):
        assert await list_endpoints(operator, accountId=other_account_id) == []
    before = await world.snapshot()
    for verb, sent in CHANGES.items():
        refused = await operator.refused(verb, id=endpoint_id, **sent)
        assert refused[:2] == ("NotFound", "input.id")
    assert await world.snapshot() == before


@pytest.mark.parametrize("endpoint_id", ["", "x", "\0", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("verb", CHANGES)
async def test_a_mutation_of_an_unknown_endpoint_returns_not_found(
    world: World, operator: Operator, verb: str, endpoint_id: str
) -> None:
    await world.account("a")
    refused = await operator.refused(verb, id=endpoint_id, **CHANGES[verb])
    assert refused[:2] == ("NotFound", "input.id")
    assert await world.count("audit_log") == 0


@pytest.mark.parametrize(
    ("verb", "sent", "field"),
    [
        ("createWebhookEndpoint", {"url": "http://hooks.example.com"}, "url"),
        ("createWebhookEndpoint", {"url": "https://169.254.169.254/latest"}, "url"),
        ("createWebhookEndpoint", {"url": URL, "eventTypes": ["instance.born"]}, "eventTypes"),
        ("updateWebhookEndpoint", {"url": "https://10.0.0.1/", "enabled": False}, "url"),
        ("updateWebhookEndpoint", {"eventTypes": ["instance.born"]}, "eventTypes"),
        ("rotateWebhookSecret", {"overlapHours": 169}, "overlapHours"),
    ],
)
async def test_an_endpoint_mutation_with_an_invalid_field_is_refused_and_changes_no_row(
    world: World, operator: Operator, verb: str, sent: dict[str, Any], field: str
) -> None:
    if not verb.startswith("create"):
        sent = {"id": (await create_endpoint(operator))[0], **sent}
    before = await world.snapshot()
    assert (await operator.refused(verb, **sent))[:2] == ("InvalidInput", f"input.{field}")
    assert await world.snapshot() == before


@pytest.mark.parametrize("verb", CHANGES)
async def test_an_endpoint_mutation_repeated_with_the_same_key_is_executed_once(
    sending: Sending, operator: Operator, receiver: Receiver, verb: str
) -> None:
    endpoint_id, _ = await create_endpoint(operator, receiver.url)
    await put_parked(endpoint_id, "a")
    sent = {"id": endpoint_id, **CHANGES[verb]}
    await operator.done(verb, key="k", **sent)
    before = await sending.world.snapshot()
    await operator.done(verb, key="k", **sent)
    assert (await operator.refused(verb, key="k", **sent | {"id": str(uuid.uuid4())}))[
        0
    ] == "IdempotencyKeyReused"
    assert await sending.world.snapshot() == before
    assert await sending.world.count("audit_log") == 2


async def test_customers_cannot_read_or_delete_the_providers_endpoints(
    world: World, operator: Operator, graphql: Client
) -> None:
    await world.account("a")
    endpoint_id, _ = await create_endpoint(operator)
    graphql.key = await world.key("a")
    assert await graphql("{ webhookEndpoints { id } }") == {"webhookEndpoints": []}
    mutation = """mutation($id: ID!) { deleteWebhookEndpoint(input: { id: $id }) { __typename } }"""
    answer = await graphql(mutation, id=endpoint_id)
    assert answer["deleteWebhookEndpoint"]["__typename"] == "InvalidInput"
    operator.key = graphql.key
    assert (await operator.post("{ webhookEndpoints { id } }")).status_code == 401
    assert await world.count("webhook_endpoints") == 1
