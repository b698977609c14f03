"""Requests for quotes and orders: bounds, and the fingerprint that makes a repeated key safe (rules 18, 26)."""

import dataclasses

import pytest

from renewals.domain import errors, model, planning
from renewals.instances import filters, selection
from renewals.orders import requests

REQUEST = requests.OrderRequest(
    selection.ById(("i-1", "i-2")), planning.RenewFor(3), idempotency_key="key", expected_total_cents=100
)


@pytest.mark.parametrize(
    "repeated",
    [
        dataclasses.replace(REQUEST, idempotency_key="another"),
        dataclasses.replace(REQUEST, selector=selection.ById(("i-2", "i-1"))),
        dataclasses.replace(REQUEST, selector=selection.ById(("i-1", "i-2", "i-1"))),
    ],
    ids=["another key", "another order of ids", "a repeated id"],
)
def test_a_request_with_another_key_or_another_order_of_ids_has_the_same_fingerprint(
    repeated: requests.OrderRequest,
) -> None:
    assert requests.fingerprint(repeated) == requests.fingerprint(REQUEST)


def build_tag_request(values: tuple[str, ...] | None) -> requests.OrderRequest:
    tag = filters.TagFilter("env", values)
    return dataclasses.replace(REQUEST, selector=selection.ByFilter(filters.InstanceFilter(tags=(tag,))))


def test_the_order_of_a_tags_values_has_no_effect_on_the_fingerprint() -> None:
    assert requests.fingerprint(build_tag_request(("a", "b"))) == requests.fingerprint(
        build_tag_request(("b", "a", "b"))
    )
    different = {
        requests.fingerprint(build_tag_request(values))
        for values in (None, (), ("a",), ("a", "b"), ("None",))
    }
    assert len(different) == 5


@pytest.mark.parametrize(
    "different",
    [
        dataclasses.replace(REQUEST, selector=selection.ById(("i-1",))),
        dataclasses.replace(REQUEST, selector=selection.ByFilter(filters.InstanceFilter(ids=("i-1", "i-2")))),
        dataclasses.replace(REQUEST, extension=planning.RenewFor(4)),
        dataclasses.replace(REQUEST, extension=planning.UnifyToDayOfMonth(3)),
        dataclasses.replace(REQUEST, handling=model.BundleHandling.WHOLE),
        dataclasses.replace(REQUEST, batch_mode=model.BatchMode.BEST_EFFORT),
        dataclasses.replace(REQUEST, expected_total_cents=None),
    ],
    ids=["ids", "filter", "months", "unify", "bundles", "batch mode", "expected total"],
)
def test_a_different_request_has_a_different_fingerprint(different: requests.OrderRequest) -> None:
    assert requests.fingerprint(different) != requests.fingerprint(REQUEST)


def test_a_request_with_half_of_a_surrogate_pair_in_an_id_has_a_fingerprint() -> None:
    odd = dataclasses.replace(REQUEST, selector=selection.ById(("\ud800",)))
    assert requests.fingerprint(odd) != requests.fingerprint(REQUEST)


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (planning.RenewFor(0), "input.months: must be between 1 and 36, not 0"),
        (planning.RenewFor(37), "input.months: must be between 1 and 36, not 37"),
        (planning.UnifyToDayOfMonth(0), "input.target.dayOfMonth: must be between 1 and 31, not 0"),
        (planning.UnifyToDayOfMonth(32), "input.target.dayOfMonth: must be between 1 and 31, not 32"),
    ],
)
def test_a_request_with_months_or_a_day_out_of_bounds_is_refused(
    extension: requests.Extension, message: str
) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        requests.check_request(dataclasses.replace(REQUEST, extension=extension))
    assert str(caught.value) == message
    requests.check_request(REQUEST)
