"""Instances of whatever account, as their rows have them."""

import datetime as dt

import strawberry

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from schema.customer import inputs, instances
from schema.fields import sources
from schema.operator.context import Info
from schema.shared import connections, scalars


@strawberry.type
class Instance:
    id: strawberry.ID
    account_id: strawberry.ID
    name: str
    product_code: strawberry.ID
    data_center_code: strawberry.ID
    billing_mode: model.BillingMode
    is_trial: bool
    status: model.InstanceStatus
    renewal_mode: model.RenewalMode
    auto_renew_months: int
    expires_at: dt.datetime | None
    anchor_day: int | None
    monthly_price: scalars.Money = sources.column("monthly_price_cents")
    agreed_price: scalars.Money | None = sources.column(
        "agreed_price_cents",
        description="What the customer last paid or agreed to; null: the price it has.",
    )
    bundle_id: strawberry.ID | None
    created_at: dt.datetime

    configuration = sources.computed(instances.read_configuration, "configuration")


def query_instances(
    info: Info,
    account_id: strawberry.ID,
    filter: inputs.InstanceFilter | None = strawberry.UNSET,  # noqa: A002
    order_by: inputs.InstanceOrder | None = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the reads of an account's instances; raise InvalidInputError if the filter is out of bounds."""
    ordering, now = inputs.to_instance_ordering(order_by), info.context.now
    instance_filter = filter.to_filter() if filter else filters.InstanceFilter(manageable=None)
    filters.check_filter(instance_filter, "filter")
    known_id = account_id if sql.is_storable(account_id) else ""
    return connections.ConnectionQuery(
        ordering,
        lambda page, requested: instances_queries.fetch_instances(
            database.pool(),
            known_id,
            instance_filter,
            page,
            ordering=ordering,
            now=now,
            columns=sources.columns_of(Instance, requested.nodes),
            counted=requested.count,
        ),
        lambda: instances_queries.count_instances(database.pool(), known_id, instance_filter, now),
    )
