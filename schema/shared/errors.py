"""Error types of both APIs, and the conversion of exceptions to them."""

import logging
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema import ExceptionHandler

from renewals.db import errors as db_errors
from renewals.domain import errors
from renewals.domain.messages import Message
from renewals.i18n import catalogs
from renewals.observability import internal_errors, request_record
from schema.shared import scalars

log = logging.getLogger(__name__)


@strawberry.interface(description="An error that a caller can handle. Nothing was changed.")
class Error:
    message: str = strawberry.field(description="The error in words, for people, in the caller's language.")


@strawberry.type(description="Vouchers and balance do not cover the total.")
class InsufficientFunds(Error):
    required: scalars.Money = strawberry.field(description="The total of the order.")
    available: scalars.Money = strawberry.field(
        description="The amount that usable vouchers and the balance can pay."
    )
    shortfall: scalars.Money = strawberry.field(description="The missing amount: required less available.")


@strawberry.type(description="The total differs from expectedTotal. Request a new quote.")
class PriceChanged(Error):
    expected_total: scalars.Money = strawberry.field(description="The total that the caller sent.")
    total: scalars.Money = strawberry.field(description="The total now.")


@strawberry.type(description="The idempotency key was used for another request.")
class IdempotencyKeyReused(Error):
    pass


@strawberry.type(description="An argument is malformed, out of bounds, or not possible in the present state.")
class InvalidInput(Error):
    field: str = strawberry.field(description="Path of the argument, such as input.months.")


class _InvalidInput(ExceptionHandler[errors.InvalidInputError, InvalidInput]):
    def handle(self, exception: errors.InvalidInputError, **_: object) -> InvalidInput:
        return InvalidInput(message=catalogs.translate_for_request(exception.message), field=exception.field)


class _IdempotencyKeyReused(ExceptionHandler[errors.IdempotencyKeyReusedError, IdempotencyKeyReused]):
    def handle(self, exception: errors.IdempotencyKeyReusedError, **_: object) -> IdempotencyKeyReused:
        return IdempotencyKeyReused(message=catalogs.translate_for_request(exception.message))


class _PriceChanged(ExceptionHandler[errors.PriceChangedError, PriceChanged]):
    def handle(self, exception: errors.PriceChangedError, **_: object) -> PriceChanged:
        return PriceChanged(
            message=catalogs.translate_for_request(exception.message),
            expected_total=scalars.Money(exception.expected_total_cents),
            total=scalars.Money(exception.total_cents),
        )


class _InsufficientFunds(ExceptionHandler[errors.InsufficientFundsError, InsufficientFunds]):
    def handle(self, exception: errors.InsufficientFundsError, **_: object) -> InsufficientFunds:
        return InsufficientFunds(
            message=catalogs.translate_for_request(exception.message),
            required=scalars.Money(exception.required_cents),
            available=scalars.Money(exception.available_cents),
            shortfall=scalars.Money(exception.shortfall_cents),
        )


HANDLERS: tuple[ExceptionHandler[Any], ...] = (
    _InvalidInput(),
    _IdempotencyKeyReused(),
    _PriceChanged(),
    _InsufficientFunds(),
)
"""The converters of exceptions to error types. A field whose union lacks the type reports a GraphQL error instead."""


MESSAGE_LENGTH_MAX = 500
_SUGGESTION = " Did you mean "
"""The beginning of graphql-core's hint, which reveals names of a schema even when introspection is off."""
UNAVAILABLE = "UNAVAILABLE"
UNAVAILABLE_MESSAGE = Message(
    "The service is temporarily unavailable. Retry in a few seconds; "
    "retry mutations with the same idempotency key."
)


def mask_error(error: GraphQLError) -> None:
    """Set the code of an error, and the message that the client may read.

    FORBIDDEN: the role is read-only, or the account has no test clock. INVALID_INPUT: `field` names the argument.
    TIMEOUT: the worker continues a move of a test clock. UNAVAILABLE: a retry may succeed. INTERNAL: the extensions
    have the id of the log entry with the traceback. Any other error keeps its code, or gets BAD_REQUEST: the document
    or a variable does not fit the schema.
    """
    match error.original_error:
        case errors.ForbiddenError() as forbidden:
            error.message = catalogs.translate_for_request(forbidden.message)
            error.extensions = {"code": "FORBIDDEN"}
        case errors.StillMovingError() as moving:
            error.message = catalogs.translate_for_request(moving.message)
            error.extensions = {"code": "TIMEOUT"}
        case errors.InvalidInputError() as invalid:
            error.message = catalogs.translate_for_request(invalid.message)
            error.extensions = {"code": "INVALID_INPUT", "field": invalid.field}
        case Exception() if db_errors.is_unavailable(cause := _cause(error)):
            log.warning("cannot resolve %s: %s", error.path, str(cause) or type(cause).__name__)
            error.message = catalogs.translate_for_request(UNAVAILABLE_MESSAGE)
            error.extensions = {"code": UNAVAILABLE}
        case Exception() if _is_internal(cause := _cause(error), error):
            error.message = catalogs.translate_for_request(internal_errors.MESSAGE)
            error.extensions = dict(internal_errors.report_internal_error(cause, path=error.path))
        case _:
            error.message = error.message.partition(_SUGGESTION)[0]
            error.extensions = {"code": "BAD_REQUEST"} | dict(error.extensions or {})
    if len(error.message) > MESSAGE_LENGTH_MAX:  # graphql-core quotes whole values
        error.message = f"{error.message[:MESSAGE_LENGTH_MAX]} ..."
    request_record.note_code(str(error.extensions["code"]))


def _cause(error: GraphQLError) -> Exception:
    """Return the exception that graphql-core wrapped, perhaps several times."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_internal(cause: Exception, error: GraphQLError) -> bool:
    """Return whether the exception is a fault of the server.

    A scalar that refuses a value of the client raises ValueError or TypeError. The GraphQLError that
    wraps it has a node of the document, but no path.
    """
    if isinstance(cause, GraphQLError):
        return bool(error.path) and not cause.nodes  # a result that its scalar cannot serialize
    # An error without path and nodes was raised by the stream of a subscription.
    return bool(error.path) or not error.nodes or not isinstance(cause, ValueError | TypeError)
