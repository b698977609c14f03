"""Test autoRenewFrom, the start of an account's automatic renewals (rule 38)."""

import pytest

from renewals.alerts import balance_alerts
from renewals.auto_renewal import renew
from tests.support import integrity
from tests.support.fixtures import NOW, World
from tests.support.operator_client import Operator

FIELDS = "{ account { autoRenewFrom createdAt } }"
NOW_TEXT = "2027-01-10T04:00:00+00:00"


@pytest.fixture
async def world_with_cut_over(world: World) -> World:
    """Create an account whose renewals start at noon on 20 January, with instances due before and after that."""
    begins = NOW.replace(day=20)
    await world.account("a", balance="900.00", auto_renew_from=begins)
    await world.instance("before", expires="2027-01-20", mode="AUTO", price="100.00")
    await world.instance("after", expires="2027-01-21", mode="AUTO", price="50.00")
    return world


async def test_automatic_renewals_start_at_the_creation_of_the_account_by_default(
    world: World, operator: Operator
) -> None:
    created = await operator.done("createAccount", FIELDS, id="a", name="A")
    assert created["account"] == {"autoRenewFrom": NOW_TEXT, "createdAt": NOW_TEXT}
    later = "2027-02-01T00:00:00+08:00"
    created = await operator.done("createAccount", FIELDS, id="b", name="B", autoRenewFrom=later)
    assert created["account"]["autoRenewFrom"] == "2027-01-31T16:00:00+00:00"
    changed = await operator.done("updateAccount", FIELDS, accountId="b", name="C")
    assert changed["account"]["autoRenewFrom"] == "2027-01-31T16:00:00+00:00"
    changed = await operator.done("updateAccount", FIELDS, accountId="b", autoRenewFrom=None)
    assert changed["account"]["autoRenewFrom"] == NOW_TEXT


@pytest.mark.parametrize("begins", ["1999-12-31T23:59:59Z", "2200-01-01T00:00:00Z"])
@pytest.mark.parametrize("name", ["createAccount", "updateAccount"])
async def test_a_cut_over_out_of_bounds_is_refused_and_changes_no_row(
    world: World, operator: Operator, name: str, begins: str
) -> None:
    await world.account("a")
    before = await world.snapshot()
    about = {"id": "b", "name": "B"} if name == "createAccount" else {"accountId": "a"}
    kind, field, message = await operator.refused(name, **about, autoRenewFrom=begins)
    assert (kind, field) == ("InvalidInput", "input.autoRenewFrom")
    assert message == f"input.autoRenewFrom: must be between 2000-01-01 and 2199-12-31, not {begins[:10]}"
    assert await world.snapshot() == before


async def test_a_changed_cut_over_causes_a_new_check_that_sends_the_reminders(
    world_with_cut_over: World, operator: Operator
) -> None:
    now = world_with_cut_over.at("2027-01-20 12:00")
    await balance_alerts.check_changed_accounts(lambda: now)
    assert await balance_alerts.find_changed_accounts(now) == []
    await operator.done("updateAccount", accountId="a", autoRenewFrom="2100-01-01T00:00:00+08:00")
    assert await balance_alerts.find_changed_accounts(now) == ["a"]
    await balance_alerts.check_changed_accounts(lambda: now)
    rows = await world_with_cut_over.rows("SELECT instance_id FROM events WHERE type = 'instance.expiring'")
    assert rows == [("before",), ("after",)]


async def test_a_later_cut_over_suspends_automatic_renewals_until_the_cut_over_is_moved_back(
    world_with_cut_over: World, operator: Operator
) -> None:
    async def count_renewed(moment: str) -> int:
        return (await renew.run_at(world_with_cut_over.at(moment))).renewed_count

    await operator.done("updateAccount", accountId="a", autoRenewFrom="2100-01-01T00:00:00+08:00")
    assert await count_renewed("2027-01-21 00:30") == 0
    await operator.done("updateAccount", accountId="a", autoRenewFrom="2027-01-20T12:00:00+08:00")
    assert await count_renewed("2027-01-21 01:30") == 1
    await integrity.assert_holds()
