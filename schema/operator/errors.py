"""What an operator is refused: a whole call as a member of the answer's union, single rows within the answer."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.schema import ExceptionHandler

from renewals.domain import errors
from schema.fields import sources
from schema.shared import errors as shared_errors


@strawberry.type(description="What the call names is not there; nothing was done.")
class NotFound(shared_errors.Error):
    field: str = strawberry.field(description="Path of the argument, as in input.accountId")


@strawberry.type(description="One row of a call that was not done, and why; the others were.")
class RowRefusal:
    id: strawberry.ID = strawberry.field(description="The row's id, as it was sent.")
    field: str = strawberry.field(description="The row's field that is wrong, as in bundleId.")
    message: str


@strawberry.type(description="Nothing of the order can be refunded; nothing was done.")
class NotRefundable(shared_errors.Error):
    refused: strawberry.Private[Sequence[errors.RowError]]
    refusals: list[RowRefusal] = sources.sliced("refused")
    refusal_count: int = sources.counted("refused")


class _NotFound(ExceptionHandler[errors.NotFoundError, NotFound]):
    def handle(self, exception: errors.NotFoundError, **_: Any) -> NotFound:
        return NotFound(message=str(exception), field=exception.field)


class _NotRefundable(ExceptionHandler[errors.NotRefundableError, NotRefundable]):
    def handle(self, exception: errors.NotRefundableError, **_: Any) -> NotRefundable:
        return NotRefundable(message=str(exception), refused=exception.refusals)


HANDLERS: tuple[ExceptionHandler[Any], ...] = (*shared_errors.HANDLERS, _NotFound(), _NotRefundable())
