"""Refused instances, and the error that lists them."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.schema import ExceptionHandler

from renewals.domain import errors
from schema.customer import instance_type
from schema.fields import sources
from schema.shared import errors as shared_errors


@strawberry.type(description="An instance that cannot take part, and why.")
class InstanceRefusal:
    instance_id: strawberry.ID = strawberry.field(description="The instance, or the unknown id.")
    instance = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        graphql_type=instance_type.INSTANCE_OR_NULL,
        description="The instance. Null if the account has none with the id.",
    )
    code: errors.RefusalCode = strawberry.field(
        description="The reason. If there are several, the most important one."
    )
    message: str = strawberry.field(description="The reason in words, for people.")
    bundle_instance_ids: list[strawberry.ID] = strawberry.field(
        description="For BUNDLED and BUNDLE_INCOMPLETE: all members, which must be sent together. Otherwise empty."
    )


@strawberry.type(description="Some instances cannot take part. All of them are listed, not only the first.")
class NotRenewable(shared_errors.Error):
    refused: strawberry.Private[Sequence[errors.Refusal]]
    refusals: list[InstanceRefusal] = sources.sliced(
        "refused", description="The instances that cannot take part, and why."
    )
    refusal_count: int = sources.counted("refused", description="Number of refusals.")


class NotRenewableHandler(ExceptionHandler[errors.NotRenewableError, NotRenewable]):
    def handle(self, exception: errors.NotRenewableError, **_: Any) -> NotRenewable:
        return NotRenewable(message=str(exception), refused=exception.refusals)
