"""Refusals as GraphQL types, and the one table that turns the domain's errors into them."""

import logging
from collections.abc import Sequence
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema import ExceptionHandler

from renewals.db import connection as database
from renewals.domain import errors
from renewals.observability import internal_errors, request_record
from schema.fields import sources
from schema.shared import scalars

log = logging.getLogger(__name__)


@strawberry.interface
class Error:
    message: str


@strawberry.type
class InstanceRefusal:
    instance_id: strawberry.ID
    code: errors.RefusalCode
    message: str
    bundle_instance_ids: list[strawberry.ID] = strawberry.field(
        description="BUNDLE_INCOMPLETE, BUNDLED: the members that must be sent together."
    )


@strawberry.type(description="Some instances cannot take part. Every refusal is listed, not only the first.")
class NotRenewable(Error):
    refused: strawberry.Private[Sequence[errors.Refusal]]
    refusals: list[InstanceRefusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")


@strawberry.type
class InsufficientFunds(Error):
    required: scalars.Money
    available: scalars.Money
    shortfall: scalars.Money


@strawberry.type(description="The total differs from expectedTotal; ask for a new quote.")
class PriceChanged(Error):
    expected_total: scalars.Money
    total: scalars.Money


@strawberry.type(description="The key was used for another request; nothing was done.")
class IdempotencyKeyReused(Error):
    pass


@strawberry.type
class InvalidInput(Error):
    field: str = strawberry.field(description="Path of the argument, as in input.months")


class _InvalidInput(ExceptionHandler[errors.InvalidInputError, InvalidInput]):
    def handle(self, exception: errors.InvalidInputError, **_: Any) -> InvalidInput:
        return InvalidInput(message=str(exception), field=exception.field)


class _IdempotencyKeyReused(ExceptionHandler[errors.IdempotencyKeyReusedError, IdempotencyKeyReused]):
    def handle(self, exception: errors.IdempotencyKeyReusedError, **_: Any) -> IdempotencyKeyReused:
        return IdempotencyKeyReused(message=str(exception))


class _NotRenewable(ExceptionHandler[errors.NotRenewableError, NotRenewable]):
    def handle(self, exception: errors.NotRenewableError, **_: Any) -> NotRenewable:
        return NotRenewable(message=str(exception), refused=exception.refusals)


class _PriceChanged(ExceptionHandler[errors.PriceChangedError, PriceChanged]):
    def handle(self, exception: errors.PriceChangedError, **_: Any) -> PriceChanged:
        return PriceChanged(
            message=str(exception),
            expected_total=scalars.Money(exception.expected_total_cents),
            total=scalars.Money(exception.total_cents),
        )


class _InsufficientFunds(ExceptionHandler[errors.InsufficientFundsError, InsufficientFunds]):
    def handle(self, exception: errors.InsufficientFundsError, **_: Any) -> InsufficientFunds:
        return InsufficientFunds(
            message=str(exception),
            required=scalars.Money(exception.required_cents),
            available=scalars.Money(exception.available_cents),
            shortfall=scalars.Money(exception.shortfall_cents),
        )


HANDLERS: tuple[ExceptionHandler[Any], ...] = (
    _InvalidInput(),
    _IdempotencyKeyReused(),
    _NotRenewable(),
    _PriceChanged(),
    _InsufficientFunds(),
)
"""A field whose union has the type answers the error as data; any other field reports it."""


MESSAGE_LENGTH_MAX = 500
_SUGGESTION = " Did you mean "
"""A hint of graphql-core, which tells names of a schema to whoever may not be shown it."""
UNAVAILABLE = "UNAVAILABLE"
UNAVAILABLE_MESSAGE = (
    "A server of ours is away. Ask again in a few seconds, a change with the same idempotency key."
)


def mask_error(error: GraphQLError) -> None:
    """Gives an error its code, and keeps what went wrong inside from the client.

    FORBIDDEN is a change by one who may only look; INVALID_INPUT names its field; BAD_REQUEST is a document or
    a variable that does not fit the schema; UNAVAILABLE may be gone when it is asked again; INTERNAL carries an id
    that stands beside the traceback in the log.
    """
    match error.original_error:
        case errors.ForbiddenError() as refused:
            error.message = str(refused)
            error.extensions = {"code": "FORBIDDEN"}
        case errors.InvalidInputError() as refused:
            error.message = str(refused)
            error.extensions = {"code": "INVALID_INPUT", "field": refused.field}
        case Exception() if database.is_unavailable(cause := _cause(error)):
            log.warning("%s cannot be answered: %s", error.path, str(cause) or type(cause).__name__)
            error.message, error.extensions = UNAVAILABLE_MESSAGE, {"code": UNAVAILABLE}
        case Exception() if _is_ours(cause := _cause(error), error):
            error.message = internal_errors.MESSAGE
            error.extensions = dict(internal_errors.report_internal_error(cause, path=error.path))
        case _:
            error.message = error.message.partition(_SUGGESTION)[0]
            error.extensions = {"code": "BAD_REQUEST"} | dict(error.extensions or {})
    if len(error.message) > MESSAGE_LENGTH_MAX:  # it may have a whole value in it
        error.message = f"{error.message[:MESSAGE_LENGTH_MAX]} ..."
    request_record.note_code(str(error.extensions["code"]))


def _cause(error: GraphQLError) -> Exception:
    """What an error began with, which graphql-core may have wrapped several times."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_ours(cause: Exception, error: GraphQLError) -> bool:
    """Whether what was raised is our mistake, and not in the document: there, values are refused by ValueError."""
    if isinstance(cause, GraphQLError):
        return bool(error.path) and not cause.nodes  # a value of ours that its type cannot write
    # What stands nowhere in the document came out of a subscription's own stream of events.
    return bool(error.path) or not error.nodes or not isinstance(cause, ValueError | TypeError)
