"""Why the service says no, as data.

Refused
├── Forbidden               whoever asks may look, and not change
├── InvalidInput            an argument is malformed or out of bounds; names its path
├── NotFound                an operator named what is not there; names the argument's path
├── IdempotencyKeyReused    the key belongs to another request
├── NotRenewable            some instances cannot take part; lists each with its reason
├── NotRefundable           no line of an order can be refunded; lists each with its reason
├── PriceChanged            the total is not the one the caller agreed to
└── InsufficientFunds       vouchers and balance together do not cover the total

They are raised in this order (rule 19) and leave everything as it was. What a request says is checked
before its key is looked up, what it finds after it: a repeated key is answered even if a filter matches
something else by now.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from renewals.domain import model, money


class RefusalCode(StrEnum):
    """Why one instance cannot take part; of several reasons it is given the one that weighs most."""

    NOT_FOUND = "NOT_FOUND"
    UNSUPPORTED_PRODUCT = "UNSUPPORTED_PRODUCT"
    TRIAL = "TRIAL"
    ONE_OFF = "ONE_OFF"
    NO_EXPIRY = "NO_EXPIRY"
    EXPIRED = "EXPIRED"
    RELEASED = "RELEASED"
    BUNDLED = "BUNDLED"
    BUNDLE_INCOMPLETE = "BUNDLE_INCOMPLETE"
    PERIOD_TOO_SHORT = "PERIOD_TOO_SHORT"
    MAX_TERM_EXCEEDED = "MAX_TERM_EXCEEDED"
    TARGET_NOT_LATER = "TARGET_NOT_LATER"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    PRICE_HELD = "PRICE_HELD"
    BEFORE_CUT_OVER = "BEFORE_CUT_OVER"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One instance that cannot take part, and why in words."""

    instance_id: str
    code: RefusalCode
    message: str
    bundle_instance_ids: tuple[str, ...] = ()


class RowError(NamedTuple):
    """A row of an operator's call that is not done, and what of it is wrong."""

    id: str
    field: str
    message: str


class DomainError(Exception):
    """The request is understood and not done."""


class ForbiddenError(DomainError):
    """Whoever asks may see all of the account and change nothing of it."""

    def __str__(self) -> str:
        return f"The role {model.Role.VIEWER} may look, and not change anything; nothing was done."


@dataclass(eq=False)
class InvalidInputError(DomainError):
    """An argument is malformed or out of bounds; `field` is its path, as in `input.months`."""

    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


@dataclass(eq=False)
class NotFoundError(DomainError):
    """What an operator named is not there; `field` is the argument's path, as in `input.accountId`."""

    field: str
    what: str

    def __str__(self) -> str:
        return f"{self.field}: there is no such {self.what}"


@dataclass(eq=False)
class IdempotencyKeyReusedError(DomainError):
    """The key was used for another request: of the same account, or of any operator (rule 18)."""

    idempotency_key: str

    def __str__(self) -> str:
        return f"The idempotency key {self.idempotency_key!r} was used for another request; nothing was done."


@dataclass(eq=False)
class NotRenewableError(DomainError):
    """Some instances cannot take part; every one of them is listed."""

    refusals: tuple[Refusal, ...]

    def __str__(self) -> str:
        count = len(self.refusals)
        return f"{count} instance{'' if count == 1 else 's'} cannot take part; nothing was done."


@dataclass(eq=False)
class NotRefundableError(DomainError):
    """None of the lines can be refunded; every one of them is listed."""

    refusals: tuple[RowError, ...]

    def __str__(self) -> str:
        return "Nothing of the order can be refunded; nothing was done."


@dataclass(eq=False)
class PriceChangedError(DomainError):
    """The total differs from the one the caller expected (rule 18)."""

    expected_total_cents: int
    total_cents: int

    def __str__(self) -> str:
        return (
            f"The total is {money.format_cents(self.total_cents)}, "
            f"not {money.format_cents(self.expected_total_cents)}; ask for a new quote."
        )


@dataclass(eq=False)
class InsufficientFundsError(DomainError):
    """Usable vouchers and balance do not cover the total; nothing is taken (rule 16)."""

    required_cents: int
    available_cents: int

    @property
    def shortfall_cents(self) -> int:
        return self.required_cents - self.available_cents

    def __str__(self) -> str:
        return (
            f"{money.format_cents(self.required_cents)} is required and "
            f"{money.format_cents(self.available_cents)} is available; "
            f"{money.format_cents(self.shortfall_cents)} is missing."
        )
