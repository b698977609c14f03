"""setTags decides on each instance of a batch independently (rule 36)."""

import asyncio
from typing import Any

import pytest

from renewals.domain import model
from renewals.domain.tags import TagChange
from renewals.instances import selection, set_tags
from tests.support import customer
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

SET = """mutation ($input: SetTagsInput!) { setTags(input: $input) { __typename
  ... on SetTagsSuccess { changedCount unchangedCount instanceCount instances { id tags { key value } }
    refusals { instanceId code message } refusalCount }
  ... on NotRenewable { refusals { instanceId code } } ... on InvalidInput { field message } } }"""


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await customer.open_account(world, graphql)
    await world.instances(["i-1", "i-2"])
    return graphql


async def change_tags(client: Client, ids: list[str], **arguments: Any) -> dict[str, Any]:
    result: dict[str, Any] = (await client(SET, input={"selection": {"ids": ids}, **arguments}))["setTags"]
    return result


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"key": key, "value": value}


async def read_tags(world: World) -> dict[str, str]:
    return {str(instance_id): str(tags) for instance_id, tags in await world.rows(
        "SELECT id, tags::text FROM instances ORDER BY id"
    )}  # fmt: skip


async def test_tags_are_added_replaced_and_removed_and_are_returned_sorted_by_key(
    world: World, client: Client
) -> None:
    await change_tags(client, ["i-1"], set=[tag("team", "web"), tag("env", "test"), tag("B")])
    result = await change_tags(client, ["i-1", "i-2"], set=[tag("env", "prod")], removeKeys=["team", "none"])
    assert (result["changedCount"], result["unchangedCount"], result["refusals"]) == (2, 0, [])
    assert result["instances"] == [
        {"id": "i-1", "tags": [tag("B"), tag("env", "prod")]},
        {"id": "i-2", "tags": [tag("env", "prod")]},
    ]


async def test_a_repeated_request_changes_no_tag_and_writes_no_event(world: World, client: Client) -> None:
    arguments = {"set": [tag("env", "prod")], "removeKeys": ["team"]}
    first = await change_tags(client, ["i-1", "i-2"], **arguments)
    before = await world.snapshot()
    again = await change_tags(client, ["i-1", "i-2"], **arguments)
    assert (first["changedCount"], first["unchangedCount"]) == (2, 0)
    assert (again["changedCount"], again["unchangedCount"], again["instanceCount"]) == (0, 2, 2)
    assert again["instances"] == first["instances"]
    assert await world.snapshot() == before
    assert await world.count("events") == 0


async def test_instances_that_cannot_be_renewed_and_single_bundle_members_are_tagged(
    world: World, client: Client
) -> None:
    await world.instance("trial", trial=True)
    await world.instance("ddos", product="ddos")
    await world.instance("payg", expires=None)
    await world.instances(["m-1", "m-2"], bundle="b")
    result = await change_tags(client, ["trial", "ddos", "payg", "m-1"], set=[tag("env", "prod")])
    assert (result["changedCount"], result["refusals"]) == (4, [])
    assert (await read_tags(world))["m-2"] == "{}"


async def test_each_refused_instance_has_its_code_and_the_other_instances_are_tagged(
    world: World, client: Client
) -> None:
    await world.account("b")
    await world.instance("theirs", account="b")
    await world.instance("gone", status="RELEASED")
    await change_tags(client, ["i-1"], set=[tag(f"k{number:02}") for number in range(20)])
    before = await read_tags(world)
    result = await change_tags(client, ["i-1", "i-2", "gone", "theirs", "none"], set=[tag("new")])
    assert [(refusal["instanceId"], refusal["code"]) for refusal in result["refusals"]] == [
        ("theirs", "NOT_FOUND"),
        ("none", "NOT_FOUND"),
        ("i-1", "TOO_MANY_TAGS"),
        ("gone", "RELEASED"),
    ]
    assert "would have 21 tags, but at most 20" in result["refusals"][2]["message"]
    assert await read_tags(world) == {**before, "i-2": '{"new": ""}'}


async def test_all_or_nothing_changes_no_tag_if_one_instance_is_refused(world: World, client: Client) -> None:
    before = await world.snapshot()
    result = await change_tags(client, ["i-1", "none"], set=[tag("env")], batchMode="ALL_OR_NOTHING")
    assert result == {
        "__typename": "NotRenewable",
        "refusals": [{"instanceId": "none", "code": "NOT_FOUND"}],
    }
    assert await world.snapshot() == before


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "input.set"),
        ({"set": [tag("")]}, "input.set"),
        ({"set": [tag("a"), tag("a")]}, "input.set"),
        ({"set": [tag("a")], "removeKeys": ["a"]}, "input.removeKeys.0"),
        ({"removeKeys": ["\0"]}, "input.removeKeys.0"),
    ],
)
async def test_invalid_tags_are_refused_with_their_path_and_without_any_change(
    world: World, client: Client, arguments: Any, field: str
) -> None:
    before = await world.snapshot()
    result = await change_tags(client, ["i-1"], **arguments)
    assert (result["__typename"], result["field"]) == ("InvalidInput", field)
    assert await world.snapshot() == before


async def test_the_instances_that_match_a_filter_are_tagged_except_the_excepted_ids(
    world: World, client: Client
) -> None:
    await world.instance("kec", product="kec")
    arguments = {"selection": {"matching": {"filter": {"products": ["eip"]}, "except": ["i-2"]}}}
    result = (await client(SET, input={**arguments, "set": [tag("env", "prod")]}))["setTags"]
    assert [instance["id"] for instance in result["instances"]] == ["i-1"]


async def test_concurrent_changes_of_an_instance_lose_no_tag(world: World, client: Client) -> None:
    keys = [f"k{number}" for number in range(8)]
    await asyncio.gather(
        *(
            set_tags.set_tags(
                "a",
                set_tags.TagsRequest(selection.ById(("i-1",)), TagChange([(key, key)])),
                lambda: NOW,
            )
            for key in keys
        )
    )
    assert (await read_tags(world))["i-1"] == str({key: key for key in keys}).replace("'", '"')


async def test_a_renewal_does_not_change_the_tags(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1")
    await change_tags(graphql, ["i-1"], set=[tag("env", "prod")])
    await buyer.renew(["i-1"])
    assert await read_tags(world) == {"i-1": '{"env": "prod"}'}
    assert await world.value("SELECT status FROM instances") == model.InstanceStatus.RUNNING
