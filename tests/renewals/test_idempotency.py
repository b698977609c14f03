"""Idempotency keys: their format, fingerprints of requests, and the check of a repeated key."""

import datetime as dt
import uuid
from typing import NamedTuple

import pytest

from renewals import idempotency
from renewals.domain import errors


class Item(NamedTuple):
    """A row of a request."""

    name: str
    cents: int


@pytest.mark.parametrize("key", ["k", "k" * 64, "订单 1", "a key with spaces"])
def test_an_idempotency_key_of_1_to_64_printable_characters_is_accepted(key: str) -> None:
    idempotency.check_idempotency_key(key)


@pytest.mark.parametrize("key", ["", "k" * 65, "a\nb", "\0", "\ud800"])
def test_an_idempotency_key_that_is_empty_too_long_or_not_printable_is_refused(key: str) -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        idempotency.check_idempotency_key(key)
    assert str(caught.value) == "input.idempotencyKey: must be 1 to 64 printable characters"


def test_canonical_json_sorts_names_and_keeps_the_order_of_lists() -> None:
    at = dt.datetime(2027, 1, 15, tzinfo=dt.UTC)
    first = {"b": [2, 1], "a": Item("x", 100), "id": uuid.UUID(int=1), "at": at}
    second = {"at": at, "id": uuid.UUID(int=1), "a": {"cents": 100, "name": "x"}, "b": [2, 1]}
    assert idempotency.canonical_json(first) == idempotency.canonical_json(second)
    assert idempotency.canonical_json({"b": [1, 2]}) != idempotency.canonical_json({"b": [2, 1]})


def test_a_value_without_a_json_form_is_an_error() -> None:
    with pytest.raises(TypeError):
        idempotency.canonical_json(object())


def test_a_fingerprint_differs_by_operation_and_by_request() -> None:
    fingerprints = {
        idempotency.fingerprint("TOP_UP", b"{}"),
        idempotency.fingerprint("TOP_UP", b"[]"),
        idempotency.fingerprint("REFUND_ORDER", b"{}"),
    }
    assert {len(digest) for digest in fingerprints} == {32}
    assert len(fingerprints) == 3
    assert idempotency.fingerprint("TOP_UP", b"{}") in fingerprints


def test_an_idempotency_key_may_be_repeated_only_with_the_same_request() -> None:
    idempotency.check_same_request("k", b"one", b"one")
    with pytest.raises(errors.IdempotencyKeyReusedError, match="'k' was used for another request"):
        idempotency.check_same_request("k", b"one", b"two")
