"""Requests for a quote or an order: their values, their validation and their fingerprint."""

import json
from dataclasses import asdict, dataclass

from renewals import idempotency
from renewals.domain import errors, limits, model, planning, validation
from renewals.instances import selection

Extension = planning.RenewFor | planning.UnifyToDate | planning.UnifyToDayOfMonth


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """A request for the price of extending the selected instances."""

    selector: selection.InstanceSelector
    extension: Extension
    handling: model.BundleHandling = model.BundleHandling.REFUSE


@dataclass(frozen=True, slots=True)
class OrderRequest(QuoteRequest):
    """A request to extend the selected instances and pay for them, at most once per idempotency key (rule 18)."""

    batch_mode: model.BatchMode = model.BatchMode.ALL_OR_NOTHING
    expected_total_cents: int | None = None
    idempotency_key: str = ""


def check_request(request: QuoteRequest) -> None:
    """Raise InvalidInputError if an argument is malformed or out of bounds, without reading the database (rule 19)."""
    selection.check_selector(request.selector)
    match request.extension:
        case planning.RenewFor(months) if not 1 <= months <= limits.MONTHS_MAX:
            raise errors.InvalidInputError("input.months", validation.between(months, 1, limits.MONTHS_MAX))
        case planning.UnifyToDayOfMonth(day) if not 1 <= day <= 31:
            raise errors.InvalidInputError("input.target.dayOfMonth", validation.between(day, 1, 31))
        case _:
            pass
    if isinstance(request, OrderRequest):
        idempotency.check_idempotency_key(request.idempotency_key)


def fingerprint(request: OrderRequest) -> bytes:
    """Return the fingerprint of a request without its key; the order and repetition of list items have no effect."""
    content = _with_sets(asdict(request) | {"idempotency_key": None})
    # An id may contain an unpaired surrogate, which `json` writes and orjson rejects.
    return idempotency.fingerprint("PLACE_ORDER", json.dumps(content, default=str).encode())


def _with_sets(value: object) -> object:
    """Return the value with its names sorted, and each list replaced by the sorted JSON texts of its distinct items."""
    match value:
        case dict():
            return {name: _with_sets(item) for name, item in sorted(value.items())}
        case list() | tuple():
            return sorted({json.dumps(_with_sets(item), default=str) for item in value})
        case _:
            return value
