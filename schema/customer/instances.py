"""Instances with their nested types, and the list of instances."""

import datetime as dt
from typing import Annotated, Any

import orjson
import strawberry

from renewals.db import connection as database
from renewals.domain import errors, limits, model
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from schema.context import Info
from schema.customer import catalog, inputs, orders
from schema.fields import sources
from schema.limits import slices
from schema.shared import connections, scalars
from schema.shared import errors as shared_errors


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
    due_at: dt.datetime = strawberry.field(description="When the instance was due for renewal.")
    attempted_at: dt.datetime = strawberry.field(description="When the worker tried.")
    succeeded: bool = strawberry.field(description="Whether the instance was renewed.")
    code: errors.RefusalCode | None = strawberry.field(
        description="Why the attempt failed. Null if it succeeded."
    )
    message: str | None = strawberry.field(description="The same in words. Null if the attempt succeeded.")
    order: orders.RenewOrder | None = sources.loaded(
        lambda load: load.order, "order_id", description="The order that paid. Null if the attempt failed."
    )


def read_configuration(row: strawberry.Parent[Any]) -> list[ConfigurationItem]:
    """Return the configuration of an instance's row."""
    return [ConfigurationItem(**item) for item in orjson.loads(row["configuration"])]


_Latest = Annotated[
    int | None,
    strawberry.argument(
        description=f"Number of the latest ones: at most {limits.PAGE_ROWS_MAX:,}. Null: 10."
    ),
]


async def _attempts(row: strawberry.Parent[Any], info: Info, first: _Latest = 10) -> list[RenewalAttempt]:
    return list(await info.context.load.attempts.load((row["id"], _latest(first))))


async def _orders(row: strawberry.Parent[Any], info: Info, first: _Latest = 10) -> list[orders.RenewOrder]:
    return list(await info.context.load.orders.load((row["id"], _latest(first))))


def _latest(first: int | None) -> int:
    """Return the number of rows; raise InvalidInputError if it is out of bounds."""
    if first is None:
        return limits.PAGE_ROWS_DEFAULT
    slices.check_first(first)
    return first


_Refusal = shared_errors.InstanceRefusal


@strawberry.type(description="Whether, when and for how much the worker will renew an instance.")
class RenewalOutlook:
    will_renew: bool = strawberry.field(
        description=(
            "Whether the worker will renew the instance. The money must suffice after all renewals due before it."
        )
    )
    due_at: dt.datetime | None = strawberry.field(
        description="When the worker will renew the instance. Null if it will not try."
    )
    price: scalars.Money | None = sources.column(
        "price_cents", description="Price of the next renewal. Null if the instance cannot be renewed."
    )
    refusals: list[_Refusal] = sources.sliced(
        "refusals",
        description="Why the worker will not renew the instance, or why it cannot be renewed at all.",
    )
    refusal_count: int = sources.counted("refusals", description="Number of refusals.")


@strawberry.type(description="A cloud instance whose term renewal management keeps.")
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
    billing_mode: model.BillingMode = strawberry.field(description="How the instance is paid.")
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
    monthly_price: scalars.Money = sources.column(
        "monthly_price_cents", description="Current list price of one month, before discounts."
    )
    created_at: dt.datetime = strawberry.field(description="When the provider created the instance.")
    bundle: Bundle | None = sources.loaded(
        lambda load: load.bundle, "bundle_id", description="The instance's bundle. Null if it is in none."
    )
    outlook: RenewalOutlook = sources.loaded(
        lambda load: load.outlook,
        "id",
        description="The forecast of the instance's next automatic renewal.",
    )

    configuration = sources.computed(
        read_configuration, "configuration", description="The configuration, in the provider's order."
    )
    attempts = sources.computed(_attempts, "id", description="The worker's attempts, the latest first.")
    orders = sources.computed(_orders, "id", description="The orders with a line of it, the latest first.")


async def resolve_instance(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The provider's id.")],  # noqa: A002
) -> Instance | None:
    """Return an instance of the account, whatever its status and product; None if there is none."""
    row: Instance | None = await info.context.load.instance.load(id)
    return row


@strawberry.type(description="Number of instances with one value of a facet.")
class FacetCount:
    value: str = strawberry.field(description="An enum value, a code of the catalog, or an expiry range.")
    count: int = strawberry.field(description="Number of matching instances.")


@strawberry.type(
    description="Counts under the list's filter. Each facet ignores the filter's condition on itself."
)
class InstanceFacets:
    tabs: list[FacetCount] = strawberry.field(description="By RenewalTab, zeros included.")
    products: list[FacetCount] = strawberry.field(description="By product code, the largest count first.")
    data_centers: list[FacetCount] = strawberry.field(
        description="By data center code, the largest count first."
    )
    data_center_types: list[FacetCount] = strawberry.field(
        description="By the code of the data center's type, the largest count first."
    )
    expiry: list[FacetCount] = strawberry.field(
        description="By expiry: EXPIRED; within 7, 15 or 30 days; LATER. Each instance counts once."
    )


@strawberry.type(description="A page of instances. Only the selected fields are read from the database.")
class InstanceConnection(connections.Connection[Instance]):
    facets: InstanceFacets = strawberry.field(description="Counts for the filters of a console.")


def query_instances(
    info: Info,
    filter: Annotated[  # noqa: A002
        inputs.InstanceFilter | None,
        strawberry.argument(description="Conditions that must all hold. Null: all manageable instances."),
    ] = strawberry.UNSET,
    order_by: Annotated[
        inputs.InstanceOrder | None,
        strawberry.argument(description="The sort order. Null: by expiry, the earliest first."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the reads of the account's instances; raise InvalidInputError if the filter is out of bounds."""
    ordering, instance_filter = inputs.to_instance_ordering(order_by), inputs.to_instance_filter(filter)
    account_id, now = info.context.account_id, info.context.now
    return connections.ConnectionQuery(
        ordering,
        lambda page, requested: instances_queries.fetch_instances(
            database.pool(),
            account_id,
            instance_filter,
            page,
            ordering=ordering,
            now=now,
            columns=sources.columns_of(Instance, requested.nodes),
            counted=requested.count,
        ),
        lambda: instances_queries.count_instances(database.pool(), account_id, instance_filter, now),
        {"facets": lambda: _count_facets(account_id, instance_filter, now)},
    )


async def _count_facets(
    account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> InstanceFacets:
    counts = await instances_queries.count_facets(database.pool(), account_id, instance_filter, now)
    facets = {
        facet: [FacetCount(value=value, count=count) for value, count in counted]
        for facet, counted in counts.items()
    }
    return InstanceFacets(
        tabs=facets["tabs"],
        products=facets["products"],
        data_centers=facets["dataCenters"],
        data_center_types=facets["dataCenterTypes"],
        expiry=facets["expiry"],
    )
