"""Registration of instances: refusals by the rules for bundles and anchors, and the columns of a row."""

import pytest

from renewals.domain import errors, model
from renewals.domain.registration_rows import InstanceRow
from tests.support.fixtures import World


async def test_a_bundle_refuses_a_member_of_another_account(world: World) -> None:
    await world.account("a")
    await world.account("b")
    await world.instances(["i-1", "i-2"], account="a", bundle="k")
    before = await world.snapshot()
    with pytest.raises(errors.InvalidInputError, match="of a bundle of another account"):
        await world.instance("i-3", account="b", bundle="k")
    assert await world.snapshot() == before


@pytest.mark.parametrize(
    "other",
    [{"expires": "2027-02-28"}, {"mode": "AUTO"}, {"expires": "2027-01-30"}, {"anchor": 31, "months": 3}],
)
async def test_a_new_member_with_another_expiry_anchor_day_or_policy_than_its_bundle_is_refused(
    world: World, other: dict[str, object]
) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", bundle="k")
    before = await world.snapshot()
    with pytest.raises(errors.InvalidInputError, match=r"i-3: must have the same expiry, .* of bundle k"):
        await world.instance("i-3", **{"expires": "2027-01-31", "bundle": "k", **other})
    assert await world.snapshot() == before


async def test_a_new_member_with_the_expiry_anchor_day_and_policy_of_its_bundle_is_accepted(
    world: World,
) -> None:
    await world.account("a")
    await world.instances(["i-1", "i-2"], expires="2027-01-31", bundle="k")
    await world.instance("i-3", expires="2027-01-31", bundle="k")
    assert await world.count("instances") == 3


@pytest.mark.parametrize("anchor", [-1, 0, 30, 32])
async def test_an_anchor_day_must_match_the_expiry(world: World, anchor: int) -> None:
    await world.account("a")
    with pytest.raises(errors.InvalidInputError, match=r"instances\.anchorDay"):
        await world.instance("i-1", expires="2027-01-31", anchor=anchor)
    assert await world.count("instances") == 0


async def test_an_expiry_at_a_month_end_may_have_a_later_anchor_day(world: World) -> None:
    await world.account("a")
    await world.instance("i-1", expires="2027-02-28", anchor=31)
    assert (await world.read("i-1")).anchor_day == 31


async def test_the_row_types_have_the_columns_of_the_table(world: World) -> None:
    rows = await world.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'instances'"
    )
    columns = {name for (name,) in rows}
    assert columns == {*InstanceRow._fields, "refund_count"}
    assert columns > set(model.Instance._fields)
