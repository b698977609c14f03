"""Instances with all that is nested in them, and the list of them."""

import datetime as dt
from typing import Any

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


@strawberry.type
class ConfigurationItem:
    label: str
    value: str


@strawberry.type
class Bundle:
    id: strawberry.ID
    name: str
    instances: list["Instance"] = sources.sliced(
        "id", loader=lambda load: load.bundle_instances, of_owner=True, description="Its members, by id."
    )
    instance_count: int


@strawberry.type(description="One try of the worker to renew one instance.")
class RenewalAttempt:
    id: strawberry.ID
    instance_id: strawberry.ID
    due_at: dt.datetime
    attempted_at: dt.datetime
    succeeded: bool
    code: errors.RefusalCode | None
    message: str | None
    order: orders.RenewOrder | None = sources.loaded(lambda load: load.order, "order_id")


def read_configuration(row: strawberry.Parent[Any]) -> list[ConfigurationItem]:
    return [ConfigurationItem(**item) for item in orjson.loads(row["configuration"])]


async def _attempts(row: strawberry.Parent[Any], info: Info, first: int | None = 10) -> list[RenewalAttempt]:
    return list(await info.context.load.attempts.load((row["id"], _latest(first))))


async def _orders(row: strawberry.Parent[Any], info: Info, first: int | None = 10) -> list[orders.RenewOrder]:
    return list(await info.context.load.orders.load((row["id"], _latest(first))))


def _latest(first: int | None) -> int:
    """Return the number of the latest rows; raise InvalidInputError if it is out of bounds."""
    if first is None:
        return limits.PAGE_ROWS_DEFAULT
    slices.check_first(first)
    return first


_Refusal = shared_errors.InstanceRefusal


@strawberry.type
class RenewalOutlook:
    will_renew: bool = strawberry.field(
        description=(
            "True when the worker will renew it and the money on hand, after all that is due before it, covers it."
        )
    )
    due_at: dt.datetime | None
    price: scalars.Money | None = sources.column("price_cents")
    refusals: list[_Refusal] = sources.sliced(
        "refusals", description="Why not, or what blocks which operation."
    )
    refusal_count: int = sources.counted("refusals")


@strawberry.type
class Instance:
    id: strawberry.ID = strawberry.field(description="The provider's id.")
    name: str
    product: catalog.Product = sources.loaded(lambda load: load.product, "product_code", joined="product")
    data_center: catalog.DataCenter = sources.loaded(
        lambda load: load.data_center, "data_center_code", joined="data_center"
    )
    billing_mode: model.BillingMode
    is_trial: bool
    status: model.InstanceStatus
    renewal_mode: model.RenewalMode
    auto_renew_months: int
    expires_at: dt.datetime | None = strawberry.field(description="Null: no expiry.")
    monthly_price: scalars.Money = sources.column("monthly_price_cents")
    created_at: dt.datetime
    bundle: Bundle | None = sources.loaded(lambda load: load.bundle, "bundle_id")
    outlook: RenewalOutlook = sources.loaded(lambda load: load.outlook, "id")

    configuration = sources.computed(read_configuration, "configuration")
    attempts = sources.computed(_attempts, "id")
    orders = sources.computed(_orders, "id")


async def resolve_instance(info: Info, id: strawberry.ID) -> Instance | None:  # noqa: A002
    row: Instance | None = await info.context.load.instance.load(id)
    return row


@strawberry.type
class FacetCount:
    value: str
    count: int


@strawberry.type(description="Counts under the same filter, each facet leaving out its own condition.")
class InstanceFacets:
    tabs: list[FacetCount]
    products: list[FacetCount]
    data_centers: list[FacetCount]
    data_center_types: list[FacetCount]
    expiry: list[FacetCount] = strawberry.field(
        description="EXPIRED, 7, 15, 30, LATER; each instance counts in the first of them that holds it."
    )


@strawberry.type
class InstanceConnection(connections.Connection[Instance]):
    facets: InstanceFacets


def query_instances(
    info: Info,
    filter: inputs.InstanceFilter | None = strawberry.UNSET,  # noqa: A002
    order_by: inputs.InstanceOrder | None = strawberry.UNSET,
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
