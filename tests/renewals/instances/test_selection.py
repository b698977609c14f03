"""Selections: which of them are planned in a thread."""

import threading

import pytest

from renewals.domain.selection import Selection
from renewals.instances.selection import INSTANCES_IN_PLACE_MAX, plan_without_blocking
from tests.renewals.factories import instance


def singles(count: int) -> Selection:
    return Selection([instance(f"i-{n}") for n in range(count)], {})


def bundle(count: int, *, selected: int = 1, single_count: int = 0) -> Selection:
    """Return a selection of some members of a bundle and of single instances."""
    members = [instance(f"b-{n}", bundle_id="b") for n in range(count)]
    return Selection([*members[:selected], *singles(single_count).instances], {"b": members})


@pytest.mark.parametrize(
    ("selection", "is_in_place"),
    [
        (singles(INSTANCES_IN_PLACE_MAX), True),
        (singles(INSTANCES_IN_PLACE_MAX + 1), False),
        (bundle(INSTANCES_IN_PLACE_MAX), True),
        (bundle(INSTANCES_IN_PLACE_MAX, selected=INSTANCES_IN_PLACE_MAX), True),
        (bundle(INSTANCES_IN_PLACE_MAX + 1), False),
        (bundle(INSTANCES_IN_PLACE_MAX, single_count=1), False),
        (Selection(bundle(INSTANCES_IN_PLACE_MAX + 1, selected=201).instances, {}), False),
    ],
)
async def test_more_instances_than_the_maximum_with_all_members_of_their_bundles_are_planned_in_a_thread(
    selection: Selection, is_in_place: bool
) -> None:
    thread = await plan_without_blocking(selection, threading.get_ident)
    assert (thread == threading.get_ident()) is is_in_place
