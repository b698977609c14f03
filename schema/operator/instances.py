"""Instances of any account."""

import datetime as dt
from typing import Annotated

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.db import pagination, sql
from renewals.domain import model
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from schema.customer import inputs, instances
from schema.fields import selected_columns, sources
from schema.operator.context import Info
from schema.shared import connections, scalars


@strawberry.type(description="An instance as it is stored, whether or not it can be renewed.")
class Instance:
    id: strawberry.ID = strawberry.field(description="The provider's own id of the instance.")
    account_id: strawberry.ID = strawberry.field(description="The account that owns the instance.")
    name: str = strawberry.field(description="The name that the provider registered.")
    product_code: strawberry.ID = strawberry.field(description="Code of the product in the catalog.")
    data_center_code: strawberry.ID = strawberry.field(description="Code of the data center in the catalog.")
    billing_mode: model.BillingMode = strawberry.field(description="Only PREPAID instances can be renewed.")
    is_trial: bool = strawberry.field(description="A trial cannot be renewed until `makeFormal` converts it.")
    status: model.InstanceStatus = strawberry.field(description="The status at the instant of the request.")
    renewal_mode: model.RenewalMode = strawberry.field(description="How the instance is renewed.")
    auto_renew_months: int = strawberry.field(
        description="Months of one automatic renewal; used only in the mode AUTO."
    )
    expires_at: dt.datetime | None = strawberry.field(
        description="23:59:59 of the last day in the account's time zone. Null: no expiry (pay-as-you-go or one-off)."
    )
    anchor_day: int | None = strawberry.field(
        description=(
            "The day of the month on which renewed terms end; in a shorter month, the last day. Null: no expiry."
        )
    )
    monthly_price: scalars.Money = sources.column(
        "monthly_price_cents", description="The current price of a month, before discounts."
    )
    agreed_price: scalars.Money | None = sources.column(
        "agreed_price_cents",
        description="The monthly price that the customer last paid or agreed to. Null: the current price.",
    )
    bundle_id: strawberry.ID | None = strawberry.field(
        description="The bundle that the instance is renewed with. Null: none."
    )
    created_at: dt.datetime = strawberry.field(description="When the instance was created at the provider.")

    configuration = sources.computed(
        instances.read_configuration, "configuration", description="Properties in the provider's order."
    )
    tags = sources.computed(instances.read_tags, "tags", description="Tags, ordered by key.")


def query_instances(
    info: Info,
    account_id: Annotated[strawberry.ID, strawberry.argument(description="The account's id.")],
    filter: Annotated[  # noqa: A002
        inputs.InstanceFilter | None,
        strawberry.argument(
            description=(
                "Conditions that must all hold. Null: all instances that are not released, including those that "
                "cannot be renewed. A filter lists those only with `manageable: null` or `false`."
            )
        ),
    ] = strawberry.UNSET,
    order_by: Annotated[
        inputs.InstanceOrder | None,
        strawberry.argument(description="The sort order. Null: by expiry, the earliest first."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with an account's instances.

    Raises InvalidInputError if the filter is out of bounds.
    """
    ordering = inputs.to_instance_ordering(order_by)
    instance_filter = filter.to_filter() if filter else filters.InstanceFilter(manageable=None)
    filters.check_filter(instance_filter, "filter")
    known_id = account_id if sql.is_storable(account_id) else ""

    async def fetch(page: pagination.PageRequest, requested: connections.RequestedFields) -> pagination.Page:
        return await instances_queries.fetch_instances(
            database.pool(),
            known_id,
            instance_filter,
            page,
            ordering=ordering,
            now=await _read_instant(info, known_id),
            columns=selected_columns.columns_of(Instance, requested.nodes),
            counted=requested.count,
        )

    async def count() -> int:
        now = await _read_instant(info, known_id)
        return await instances_queries.count_instances(database.pool(), known_id, instance_filter, now)

    return connections.ConnectionQuery(ordering, fetch, count)


async def _read_instant(info: Info, account_id: str) -> dt.datetime:
    """Return the current instant of the account: its test clock if it has one (rule 37), or the request's instant."""
    clocks = await accounts_queries.find_test_clocks(database.pool(), [account_id])
    return clocks.get(account_id) or info.context.now
