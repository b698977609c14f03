"""The typed errors of the operator API.

An error of a whole request is a member of the result's union. An error of a row is a RowRefusal in the success, or in
NotRefundable.
"""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.schema import ExceptionHandler

from renewals.domain import errors
from renewals.i18n import catalogs
from schema.fields import messages, sources
from schema.shared import errors as shared_errors


@strawberry.type(description="The request names something that does not exist. Nothing was changed.")
class NotFound(shared_errors.Error):
    field: str = strawberry.field(description="Path of the argument, such as `input.accountId`.")


@strawberry.type(description="A row of the request that was refused and not changed, with the reason.")
class RowRefusal:
    id: strawberry.ID = strawberry.field(description="The row's id, as it was sent.")
    field: str = strawberry.field(description="The invalid field of the row, such as `bundleId`.")
    message: str = messages.message(
        description="What is wrong with the field, in the caller's language. Show it after the field's name."
    )


@strawberry.type(description="None of the requested lines can be refunded. Nothing was changed.")
class NotRefundable(shared_errors.Error):
    refused: strawberry.Private[Sequence[errors.RowError]]
    refusals: list[RowRefusal] = sources.sliced(
        "refused", description="The refused lines, identified by their instances, each with the reason."
    )
    refusal_count: int = sources.counted("refused", description="Number of all refused lines.")


class _NotFound(ExceptionHandler[errors.NotFoundError, NotFound]):
    def handle(self, exception: errors.NotFoundError, **_: object) -> NotFound:
        return NotFound(message=catalogs.translate_for_request(exception.message), field=exception.field)


class _NotRefundable(ExceptionHandler[errors.NotRefundableError, NotRefundable]):
    def handle(self, exception: errors.NotRefundableError, **_: object) -> NotRefundable:
        return NotRefundable(
            message=catalogs.translate_for_request(exception.message), refused=exception.refusals
        )


HANDLERS: tuple[ExceptionHandler[Any], ...] = (*shared_errors.HANDLERS, _NotFound(), _NotRefundable())
