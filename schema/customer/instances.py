"""Instances with their nested types."""

import datetime as dt
from typing import Annotated, cast

import orjson
import strawberry

from renewals.db.connection import Row
from renewals.domain import errors, instance_actions, limits, model, tags
from schema.context import Info
from schema.customer import catalog, orders, refusals, terms
from schema.customer.actions import InstanceAction
from schema.fields import messages, sources
from schema.limits import slices
from schema.shared import scalars


@strawberry.type(description="One line of an instance's configuration, as the provider reported it.")
class ConfigurationItem:
    label: str = strawberry.field(description="The name of the property, such as CPU.")
    value: str = strawberry.field(description="The value, as text with its unit.")


@strawberry.type(
    description="Instances that were ordered together (强关联). They have the same expiry and are renewed together."
)
class Bundle:
    id: strawberry.ID = strawberry.field(description="The provider's id of the bundle.")
    name: str = strawberry.field(description="The display name.")
    instances: list["Instance"] = sources.sliced(
        "id",
        loader=lambda load: load.bundle_instances,
        of_owner=True,
        description="The members, ordered by id.",
    )
    instance_count: int = strawberry.field(description="Number of members.")


@strawberry.type(description="One attempt of the worker to renew an instance.")
class RenewalAttempt:
    id: strawberry.ID = strawberry.field(description="The attempt's own id.")
    instance_id: strawberry.ID = strawberry.field(description="The instance that was due.")
    instance: "Instance" = sources.loaded(
        lambda load: load.instance, "instance_id", description="The instance, as it is now."
    )
    due_at: dt.datetime = strawberry.field(description="When the instance was due for renewal.")
    attempted_at: dt.datetime = strawberry.field(description="When the worker tried.")
    succeeded: bool = strawberry.field(description="Whether the instance was renewed.")
    code: errors.RefusalCode | None = strawberry.field(
        description="Why the attempt failed. Null if it succeeded."
    )
    message: str | None = messages.message(
        description="Why the attempt failed, in words, in the caller's language. Null if it succeeded."
    )
    order: orders.RenewOrder | None = sources.loaded(
        lambda load: load.order, "order_id", description="The order that paid. Null if the attempt failed."
    )


@strawberry.type(
    description="A tag of an instance, set by the provider at registration or later by the customer."
)
class Tag:
    key: str = strawberry.field(description="The key, unique in the instance.")
    value: str = strawberry.field(description="The value, possibly empty.")


def read_tags(row: strawberry.Parent[Row]) -> list[Tag]:
    """Return the tags of an instance's row, ordered by key."""
    return [Tag(key=key, value=value) for key, value in sorted(orjson.loads(row["tags"]).items())]


def read_configuration(row: strawberry.Parent[Row]) -> list[ConfigurationItem]:
    """Return the configuration of an instance's row."""
    return [ConfigurationItem(**item) for item in orjson.loads(row["configuration"])]


_Latest = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many of the latest rows to return: 0 to {limits.PAGE_ROWS_MAX:,}. Null: 10."
    ),
]


async def _attempts(row: strawberry.Parent[Row], info: Info, first: _Latest = 10) -> list[RenewalAttempt]:
    rows = await info.context.load.attempts.load((row["id"], _latest(first)))
    return cast("list[RenewalAttempt]", rows)


async def _orders(row: strawberry.Parent[Row], info: Info, first: _Latest = 10) -> list[orders.RenewOrder]:
    rows = await info.context.load.orders.load((row["id"], _latest(first)))
    return cast("list[orders.RenewOrder]", rows)


def _latest(first: int | None) -> int:
    """Return `first`, or the default if it is None; raise InvalidInputError if `first` is out of bounds."""
    if first is None:
        return limits.PAGE_ROWS_DEFAULT
    slices.check_first(first)
    return first


_Refusal = refusals.InstanceRefusal


@strawberry.type(description="Whether and when the worker will renew an instance, and at what price.")
class RenewalOutlook:
    will_renew: bool = strawberry.field(
        description=(
            "Whether the worker will renew the instance, if nothing changes. Renewals that are due earlier are paid "
            "first."
        )
    )
    due_at: dt.datetime | None = strawberry.field(
        description=(
            "The instant from which the worker will try to renew the instance. Null if the mode is not AUTO, or if a "
            "renewal is refused for a reason other than money or a price rise."
        )
    )
    price: scalars.Money | None = sources.column(
        "price_cents",
        description=(
            "Price of a renewal for autoRenewMonths months, whatever the mode. Null if the instance has expired or "
            "cannot be renewed for these months."
        ),
    )
    refusals: list[_Refusal] = sources.sliced(
        "refusals",
        description=(
            "Why the worker will not renew the instance or, in another mode than AUTO, could not renew it. Empty if "
            "only the mode is the reason."
        ),
    )
    refusal_count: int = sources.counted("refusals", description="Number of refusals.")


@strawberry.type(description="A cloud instance, with its expiry and its renewal policy.")
class Instance:
    id: strawberry.ID = strawberry.field(description="The provider's id of the instance.")
    name: str = strawberry.field(description="The display name.")
    product: catalog.Product = sources.loaded(
        lambda load: load.product,
        "product_code",
        joined="product",
        description="The product, which sets the discounts and the longest term.",
    )
    data_center: catalog.DataCenter = sources.loaded(
        lambda load: load.data_center,
        "data_center_code",
        joined="data_center",
        description="Where the instance runs.",
    )
    billing_mode: model.BillingMode = strawberry.field(description="How the instance is paid for.")
    is_trial: bool = strawberry.field(
        description="Whether the instance is a trial. Trials cannot be renewed."
    )
    status: model.InstanceStatus = strawberry.field(description="The status at the time of the request.")
    renewal_mode: model.RenewalMode = strawberry.field(
        description="How the instance is renewed. The mode stays when the instance expires."
    )
    auto_renew_months: int = strawberry.field(
        description="Months of each automatic renewal: 1 to 36. Used only in the mode AUTO."
    )
    expires_at: dt.datetime | None = strawberry.field(
        description=(
            "End of the paid term: 23:59:59 of the last day in the account's time zone. "
            "Null for an instance without expiry."
        )
    )
    expires_on: dt.date | None = sources.batched(
        terms.read_last_days,
        "expires_at",
        description="The last day of the paid term, in the account's time zone. Null for an instance without expiry.",
    )
    days_left: int | None = sources.batched(
        terms.read_days_left,
        "expires_at",
        description=(
            "Calendar days from today to expiresOn, in the account's time zone: 0 on the last day, negative once "
            "expired. Null for an instance without expiry."
        ),
    )
    releases_at: dt.datetime | None = sources.batched(
        terms.read_release_times,
        "id",
        "status",
        description=(
            "When the instance is released permanently unless it is renewed: after the retention days of its product "
            "or, in a bundle, the longest retention of any member. Null if the instance has no expiry or is already "
            "released."
        ),
    )
    monthly_price: scalars.Money = sources.column(
        "monthly_price_cents", description="Current list price of one month, before discounts."
    )
    agreed_price: scalars.Money | None = sources.column(
        "agreed_price_cents",
        description=(
            "The monthly price that the customer last paid or accepted, if monthlyPrice has changed since. Null if it "
            "has not."
        ),
    )
    created_at: dt.datetime = strawberry.field(description="When the provider created the instance.")
    bundle: Bundle | None = sources.loaded(
        lambda load: load.bundle,
        "bundle_id",
        description="The instance's bundle. Null if the instance is not in a bundle.",
    )
    outlook: RenewalOutlook = sources.loaded(
        lambda load: load.outlook,
        "id",
        description="The forecast of the instance's next automatic renewal.",
    )
    actions: list[InstanceAction] = sources.batched(
        terms.read_actions,
        *instance_actions.ActionFacts._fields,
        description="Which operations the instance allows now, with one entry of each kind.",
    )

    configuration = sources.computed(
        read_configuration, "configuration", description="The configuration, in the provider's order."
    )
    tags = sources.computed(
        read_tags, "tags", description=f"The tags, at most {tags.TAGS_MAX}, ordered by key."
    )
    attempts = sources.computed(
        _attempts, "id", description="The worker's attempts to renew the instance, the latest first."
    )
    orders = sources.computed(
        _orders, "id", description="The orders that renewed the instance, the latest first."
    )


async def resolve_instance(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The provider's id.")],  # noqa: A002
) -> Instance | None:
    """Return an instance of any status and product; None if the account has no instance with this id."""
    return cast("Instance | None", await info.context.load.instance.load(id))
