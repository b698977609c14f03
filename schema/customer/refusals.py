"""Refused instances, and the error that lists them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.schema import ExceptionHandler

from renewals.domain import errors
from renewals.i18n import catalogs
from schema.customer import instance_type
from schema.fields import messages, sources
from schema.shared import errors as shared_errors
from schema.shared import scalars


def _fact(name: str, description: str) -> Any:
    """Return a field that reads one of the facts of a refusal."""

    def resolve(refusal: strawberry.Parent[errors.Refusal]) -> object:
        return getattr(refusal.facts, name)

    return sources.computed(resolve, "facts", description=description)


@strawberry.type(description="An instance that cannot take part, and why.")
class InstanceRefusal:
    instance_id: strawberry.ID = strawberry.field(
        description="The instance's id, or the unknown id that was sent."
    )
    instance = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        graphql_type=instance_type.INSTANCE_OR_NULL,
        description="The instance. Null if the account has no instance with this id.",
    )
    code: errors.RefusalCode = strawberry.field(
        description="The reason. If there are several, the one that is checked first."
    )
    message: str = messages.message(description="The reason in words, for people, in the caller's language.")
    bundle_instance_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "For BUNDLED and BUNDLE_INCOMPLETE: all members, which must be sent together. For INSUFFICIENT_FUNDS of a "
            "bundle: all members, which are paid together. Otherwise empty."
        )
    )
    least_months: int | None = _fact(
        "least_months",
        "For PERIOD_TOO_SHORT: the smallest number of months with which the new expiry is in the future. "
        "Otherwise null.",
    )
    latest_expiry: dt.date | None = _fact(
        "latest_expiry",
        "For MAX_TERM_EXCEEDED of a renewal or unify: the latest last day that the product's longest term allows. Null "
        "for setRenewalPolicy and for other codes.",
    )
    required: scalars.Money | None = _fact(
        "required_cents",
        "For INSUFFICIENT_FUNDS: the price of the renewal or, for a member of a bundle, of renewing the whole bundle. "
        "Otherwise null.",
    )
    available: scalars.Money | None = _fact(
        "available_cents",
        "For INSUFFICIENT_FUNDS: the part of `required` that usable vouchers and the balance can pay. Otherwise null.",
    )
    agreed_price: scalars.Money | None = _fact(
        "agreed_price_cents",
        "For PRICE_HELD: the monthly price that the customer last paid or accepted. Otherwise null.",
    )
    monthly_price: scalars.Money | None = _fact(
        "monthly_price_cents", "For PRICE_HELD: the monthly price now. Otherwise null."
    )


@strawberry.type(description="Some instances cannot take part. All of them are listed, not only the first.")
class NotRenewable(shared_errors.Error):
    refused: strawberry.Private[Sequence[errors.Refusal]]
    refusals: list[InstanceRefusal] = sources.sliced(
        "refused", description="The instances that cannot take part, and why."
    )
    refusal_count: int = sources.counted("refused", description="Number of refusals.")


class NotRenewableHandler(ExceptionHandler[errors.NotRenewableError, NotRenewable]):
    def handle(self, exception: errors.NotRenewableError, **_: object) -> NotRenewable:
        return NotRenewable(
            message=catalogs.translate_for_request(exception.message), refused=exception.refusals
        )
