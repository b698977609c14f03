"""Selections: by ids, or all instances that match a filter, except given ids."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client

SendRequest = Callable[..., Awaitable[customer.Result]]

VERBS: dict[str, SendRequest] = {
    "renewInstances": lambda buyer, selection, **more: buyer.renew(selection, **more),
    "unifyExpiry": lambda buyer, selection, **more: buyer.unify(selection, date="2027-06-30", **more),
    "setRenewalPolicy": lambda buyer, selection, **more: buyer.set_policy(selection, "AUTO", **more),
    "quoteRenewal": lambda buyer, selection, **more: buyer.quote(selection, **more),
    "quoteUnifyExpiry": lambda buyer, selection, **more: buyer.quote_unify(
        selection, date="2027-06-30", **more
    ),
}
MUTATIONS = [verb for verb in VERBS if not verb.startswith("quote")]
every_verb = pytest.mark.parametrize("verb", VERBS)
every_mutation = pytest.mark.parametrize("verb", MUTATIONS)


def list_accepted_ids(result: customer.Result) -> list[str]:
    """Return the instances that took part in an operation or a quote."""
    lines = result["lines"] if "lines" in result else result.get("instances", [])
    return sorted(row.get("instanceId") or row["id"] for row in lines)


async def read_invalid_input(
    graphql: Client, send: Callable[[], Awaitable[customer.Result]], verb: str
) -> tuple[str, str]:
    """Return the field and the message of an invalid input, which is data of a mutation or an error of a query."""
    if verb in MUTATIONS:
        result = await send()
        assert result["__typename"] == "InvalidInput"
        return result["field"], result["message"]
    with pytest.raises(AssertionError) as caught:
        await send()
    [error] = caught.value.args[0]
    assert error["extensions"]["code"] == "INVALID_INPUT"
    return error["extensions"]["field"], error["message"]


@every_verb
async def test_an_id_that_a_selection_repeats_is_accepted_once(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["i-1", "i-2"])
    assert list_accepted_ids(await VERBS[verb](buyer, ["i-1", "i-2", "i-1", "i-1"])) == ["i-1", "i-2"]


@every_verb
async def test_an_unknown_id_that_a_selection_repeats_is_refused_once(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1")
    result = await VERBS[verb](buyer, ["unknown", "i-1", "unknown"])
    assert customer.codes(result) == {"unknown": "NOT_FOUND"}


@every_verb
async def test_a_filter_selects_a_released_instance_only_if_it_names_this_status(
    world: World, graphql: Client, verb: str
) -> None:
    """Rule 3. The retention of `lost` has ended, but the worker has not run."""
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1")
    await world.instance("gone", expires="2026-12-01", status="RELEASED")
    await world.instance("lost", expires="2026-12-01", status="EXPIRED")
    by_status = customer.matching(status=["RELEASED"])
    if verb in MUTATIONS:
        await VERBS[verb](buyer, by_status)
    else:
        assert customer.codes(await VERBS[verb](buyer, by_status)) == {"gone": "RELEASED", "lost": "RELEASED"}
    result = await VERBS[verb](buyer, customer.matching())
    assert list_accepted_ids(result) == ["i-1"]
    assert customer.codes(result) == {}


@every_verb
async def test_a_selection_with_an_empty_list_of_ids_is_invalid(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1")
    before = await world.snapshot()
    field, message = await read_invalid_input(graphql, lambda: VERBS[verb](buyer, []), verb)
    assert (field, message) == (
        "input.selection.ids",
        "input.selection.ids: must have at least 1 item",
    )
    assert await world.snapshot() == before


@every_verb
async def test_ids_of_another_account_are_refused_exactly_like_unknown_ids(
    world: World, graphql: Client, verb: str
) -> None:
    await world.account("b", balance="10000.00")
    await world.instances(["b-1"], account="b")
    await world.instances(["b-2", "b-3"], account="b", bundle="b")
    buyer = await customer.open_account(world, graphql, "a", balance="10000.00")
    await world.instance("mine")
    before = await world.snapshot()
    foreign = await VERBS[verb](buyer, ["b-1", "b-2", "b-3"])
    unknown = await VERBS[verb](buyer, ["x-1", "x-2", "x-3"])
    assert json.dumps(foreign).replace('"b-', '"x-') == json.dumps(unknown)
    assert set(customer.codes(foreign).values()) == {"NOT_FOUND"}
    assert await world.snapshot() == before


@every_verb
async def test_a_filter_never_selects_instances_of_another_account(
    world: World, graphql: Client, verb: str
) -> None:
    await world.account("b", balance="10000.00")
    await world.instances(["b-1", "b-2"], account="b")
    buyer = await customer.open_account(world, graphql, "a", balance="10000.00")
    await world.instance("a-1")
    selection = customer.matching(ids=["a-1", "b-1"], except_ids=["b-2"])
    assert list_accepted_ids(await VERBS[verb](buyer, selection)) == ["a-1"]
    assert await world.expiry("b-1") == "2027-01-31"
    assert (await world.read("b-1")).renewal_mode == "MANUAL"
    assert await world.balance("b") == "10000.00"


@every_verb
async def test_a_filter_selects_instances_that_meet_all_conditions_except_the_excepted_ids(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instances(["e-1", "e-2", "e-3"], product="eip", data_center="bj-6", expires="2027-01-20")
    await world.instance("elsewhere", product="eip", data_center="bj-1", expires="2027-01-20")
    await world.instance("other", product="kec", data_center="bj-6", expires="2027-01-20")
    await world.instance("later", product="eip", data_center="bj-6", expires="2027-04-20")
    await world.instance("trial", product="eip", data_center="bj-6", expires="2027-01-20", trial=True)
    selection = customer.matching(
        except_ids=["e-2", "unknown", "nul\0"],
        products=["eip"],
        dataCenterTypes=["VPC"],
        expiresWithinDays=15,
    )
    result = await VERBS[verb](buyer, selection)
    assert (list_accepted_ids(result), result["refusals"]) == (["e-1", "e-3"], [])
    assert await world.expiry("e-2") == "2027-01-20"


@every_verb
async def test_a_filter_selects_instances_that_are_not_manageable_and_each_of_them_is_refused(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("good")
    await world.instance("trial", trial=True)
    await world.instance("once", billing="ONE_OFF")
    await world.instance("cert", product="cert")
    before = await world.snapshot()
    result = await VERBS[verb](buyer, customer.matching(manageable=False))
    assert customer.codes(result) == {"trial": "TRIAL", "once": "ONE_OFF", "cert": "UNSUPPORTED_PRODUCT"}
    assert await world.snapshot() == before


@pytest.mark.parametrize("verb", ["renewInstances", "unifyExpiry"])
async def test_an_order_for_a_filter_without_matches_is_invalid(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instance("i-1")
    before = await world.snapshot()
    for selection in (
        customer.matching(except_ids=["i-1"]),
        customer.matching(ids=[]),
        customer.matching(status=[]),
    ):
        assert await VERBS[verb](buyer, selection) == {
            "__typename": "InvalidInput",
            "message": "input.selection.matching: matches no instance",
            "field": "input.selection.matching",
        }
    assert await world.snapshot() == before


async def test_a_policy_for_a_filter_without_matches_succeeds_without_changes(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    result = await buyer.set_policy(customer.matching(search="nothing is called so"), "AUTO")
    assert (result["changedCount"], result["unchangedCount"], result["refusals"]) == (0, 0, [])


@every_verb
async def test_a_selection_above_the_limit_is_refused_without_any_change(
    world: World, graphql: Client, verb: str, limits_override: Callable[..., None]
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=3)
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    ids = await world.instances(["i-1", "i-2", "i-3", "i-4"])
    before = await world.snapshot()
    by_id = await read_invalid_input(graphql, lambda: VERBS[verb](buyer, ids), verb)
    assert by_id == ("input.selection.ids", "input.selection.ids: must have at most 3 items, not 4")
    by_filter = await read_invalid_input(graphql, lambda: VERBS[verb](buyer, customer.matching()), verb)
    assert by_filter == (
        "input.selection.matching",
        "input.selection.matching: selects more than 3 instances; split the request",
    )
    assert await world.snapshot() == before


@pytest.mark.parametrize(
    "selection",
    [
        ["i-1", "i-2", "i-3", "i-2", "i-1"],
        customer.matching(except_ids=["i-4"]),
        customer.matching(search="I-3"),
    ],
)
async def test_a_selection_within_the_limit_is_accepted(
    world: World, graphql: Client, limits_override: Callable[..., None], selection: Any
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=3)
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["i-1", "i-2", "i-3", "i-4"])
    assert (await buyer.renew(selection))["__typename"] == "RenewInstancesSuccess"


@every_mutation
async def test_a_selection_of_10_000_ids_is_accepted_and_10_001_ids_are_refused(
    world: World, graphql: Client, verb: str
) -> None:
    buyer = await customer.open_account(world, graphql)
    ids = [f"unknown-{number}" for number in range(10_001)]
    field, message = await read_invalid_input(graphql, lambda: VERBS[verb](buyer, ids), verb)
    assert (field, message) == (
        "input.selection.ids",
        "input.selection.ids: must have at most 10,000 items, not 10,001",
    )
    assert (await VERBS[verb](buyer, ids[1:]))["refusalCount"] == 10_000


@every_verb
async def test_a_selection_with_the_added_members_of_its_bundles_has_the_same_limit(
    world: World, graphql: Client, verb: str, limits_override: Callable[..., None]
) -> None:
    limits_override(INSTANCES_PER_SELECTION_MAX=3)
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2", "b-3"], bundle="b")
    await world.instance("i-1")
    before = await world.snapshot()
    refused = await read_invalid_input(
        graphql, lambda: VERBS[verb](buyer, ["b-1", "i-1"], bundles="WHOLE"), verb
    )
    assert refused == ("input.bundles", "input.bundles: selects more than 3 instances; split the request")
    assert await world.snapshot() == before
