"""What a client asks for when it wants a quote or an order."""

import hashlib
import json
from dataclasses import asdict, dataclass

from renewals import idempotency
from renewals.domain import errors, limits, model, planning
from renewals.instances import selection

Extension = planning.RenewFor | planning.UnifyToDate | planning.UnifyToDayOfMonth


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """What would it cost to extend these instances so."""

    pick: selection.InstanceSelector
    extension: Extension
    handling: model.BundleHandling = model.BundleHandling.REFUSE


@dataclass(frozen=True, slots=True)
class OrderRequest(QuoteRequest):
    """Extend these instances so and pay at once; the key makes doing it twice doing it once (rule 18)."""

    batch_mode: model.BatchMode = model.BatchMode.ALL_OR_NOTHING
    expected_total_cents: int | None = None
    idempotency_key: str = ""


def check_request(request: QuoteRequest) -> None:
    """Raises InvalidInputError for what is malformed or out of bounds, before anything is read (rule 19)."""
    selection.check_selector(request.pick)
    match request.extension:
        case planning.RenewFor(months) if not 1 <= months <= limits.MONTHS_MAX:
            raise errors.InvalidInputError("input.months", f"must be 1 to {limits.MONTHS_MAX}")
        case planning.UnifyToDayOfMonth(day) if not 1 <= day <= 31:
            raise errors.InvalidInputError("input.target.dayOfMonth", "must be 1 to 31")
        case _:
            pass
    if isinstance(request, OrderRequest):
        idempotency.check_idempotency_key(request.idempotency_key)


def fingerprint(request: OrderRequest) -> bytes:
    """The same for the same request, whatever its key and whatever the order of its lists: they are all sets."""
    content = _canonical(asdict(request) | {"idempotency_key": None})
    return hashlib.sha256(json.dumps(content, default=str).encode()).digest()


def _canonical(value: object) -> object:
    match value:
        case dict():
            return {name: _canonical(each) for name, each in sorted(value.items())}
        case list() | tuple():
            return sorted(set(map(str, value)))
        case _:
            return value
