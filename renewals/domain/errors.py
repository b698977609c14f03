"""Errors of the use cases of `renewals`; the fields of each error hold its details.

DomainError
├── ForbiddenError               the role is read-only
│   └── NoTestClockError         the account has no test clock to move
├── InvalidInputError            an argument is malformed or out of bounds, or conflicts with data; `field` is its path
├── NotFoundError                an operator's argument names a missing object; `field` is its path
├── IdempotencyKeyReusedError    the key belongs to another request
├── NotRenewableError            instances are refused; lists each of them with the reason
├── NotRefundableError           none of the requested lines can be refunded; lists each with the reason
├── PriceChangedError            the total differs from the total that the caller expects
├── InsufficientFundsError       vouchers and balance do not cover the total
└── StillMovingError             a move of a test clock is unfinished; part of the move may be done

If several of these errors apply to a renewal, the first in this list is raised (rule 19). After any error except
StillMovingError, nothing has changed. A request is validated before its idempotency key is looked up, and its instances
are checked after the lookup. A repeated request therefore returns the first result even if its filter now matches other
instances.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from renewals.domain import model
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.money import Cents


class RefusalCode(StrEnum):
    """The reason why an instance is refused; if several apply, the one that is checked first."""

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
    TOO_MANY_TAGS = "TOO_MANY_TAGS"


class RefusalFacts(NamedTuple):
    """The facts of a refusal as typed values, which equal the values in its message (rule 27)."""

    least_months: int | None = None
    latest_expiry: dt.date | None = None
    required_cents: int | None = None
    available_cents: int | None = None
    agreed_price_cents: int | None = None
    monthly_price_cents: int | None = None


NO_FACTS = RefusalFacts()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused instance, with the reason as a code, as a sentence and as facts."""

    instance_id: str
    code: RefusalCode
    message: Message
    bundle_instance_ids: tuple[str, ...] = ()
    facts: RefusalFacts = NO_FACTS


class RowError(NamedTuple):
    """A refused row of an operator's call: its id, the field and the problem."""

    id: str
    field: str
    message: Message


class DomainError(Exception):
    """The base class of the exceptions in this module; `str(error)` is the message in English."""

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        raise NotImplementedError

    def __str__(self) -> str:
        return str(self.message)


class ForbiddenError(DomainError):
    """A change requested with a read-only role."""

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "The role {role} is read-only, so nothing was changed. Use a key or a token with the role "
            "RENEWER.",
            role=model.Role.VIEWER.value,
        )


class NoTestClockError(ForbiddenError):
    """An attempt to move the clock of an account that has no test clock (rule 37)."""

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "The account has no test clock, so nothing was changed. Only the time of a test account "
            "can be moved."
        )


@dataclass(eq=False)
class InvalidInputError(DomainError):
    """An argument that is malformed, out of bounds or in conflict with stored data.

    `field` is its path, as in `input.months`.
    """

    field: str
    reason: Message

    @property
    def message(self) -> Message:
        """The argument and the reason."""
        return Message("{field}: {reason}", field=self.field, reason=self.reason)


@dataclass(eq=False)
class NotFoundError(DomainError):
    """A missing object that an operator names; `field` is the argument's path, as in `input.accountId`."""

    field: str
    reason: Message

    @property
    def message(self) -> Message:
        """The argument and the reason."""
        return Message("{field}: {reason}", field=self.field, reason=self.reason)


@dataclass(eq=False)
class IdempotencyKeyReusedError(DomainError):
    """A key that the account or any operator has already used for another request (rule 18)."""

    idempotency_key: str

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "The idempotency key {key!r} was used for another request, so nothing was done. Send a new key.",
            key=self.idempotency_key,
        )


@dataclass(eq=False)
class NotRenewableError(DomainError):
    """A request that fails because instances are refused; `refusals` lists all of them."""

    refusals: tuple[Refusal, ...]

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return CountedMessage(
            "{count} instance cannot take part, so nothing was done.",
            "{count} instances cannot take part, so nothing was done.",
            count=len(self.refusals),
        )


@dataclass(eq=False)
class NotRefundableError(DomainError):
    """A refund for which none of the requested lines can be refunded; `refusals` lists all of them."""

    refusals: tuple[RowError, ...]

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message("None of the requested lines can be refunded, so nothing was done.")


@dataclass(eq=False)
class PriceChangedError(DomainError):
    """A total, in cents, that differs from the expected total (rule 18)."""

    expected_total_cents: int
    total_cents: int

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "The total is now {total}, not {expected}. Request a new quote.",
            total=Cents(self.total_cents),
            expected=Cents(self.expected_total_cents),
        )


@dataclass(eq=False)
class InsufficientFundsError(DomainError):
    """A total in cents that the usable vouchers and the balance do not cover; no money is taken (rule 16)."""

    required_cents: int
    available_cents: int

    @property
    def shortfall_cents(self) -> int:
        """The missing amount in cents."""
        return self.required_cents - self.available_cents

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "{required} is required and {available} is available; {shortfall} is missing.",
            required=Cents(self.required_cents),
            available=Cents(self.available_cents),
            shortfall=Cents(self.shortfall_cents),
        )


@dataclass(eq=False)
class StillMovingError(DomainError):
    """A move of a test clock that exceeded the time limit of its request; the worker continues the move (rule 37)."""

    reached_at: dt.datetime
    to_at: dt.datetime

    @property
    def message(self) -> Message:
        """The error as a sentence."""
        return Message(
            "The clock is at {at} and continues to {to}. Repeat the request with the same idempotencyKey "
            "to wait for the result.",
            at=self.reached_at.isoformat(timespec="seconds"),
            to=self.to_at.isoformat(timespec="seconds"),
        )
