"""Instances of whatever account, as their rows have them."""

import datetime as dt
from typing import Annotated, Any

import strawberry

from renewals import database, filters, queries, terms
from schema import connections, inputs, rows, scalars, selection
from schema import instances as customers
from schema.operator.context import Info


@strawberry.type
class Instance:
    id: strawberry.ID
    account_id: strawberry.ID
    name: str
    product_code: strawberry.ID
    data_center_code: strawberry.ID
    billing_mode: terms.BillingMode
    is_trial: bool
    status: terms.InstanceStatus
    renewal_mode: terms.RenewalMode
    auto_renew_months: int
    expires_at: dt.datetime | None
    anchor_day: int | None
    monthly_price: scalars.Money = rows.column("monthly_price_cents")
    agreed_price: scalars.Money | None = rows.column(
        "agreed_price_cents",
        description="What the customer last paid or agreed to; null: the price it has.",
    )
    bundle_id: strawberry.ID | None
    created_at: dt.datetime

    configuration = rows.computed(customers.read_configuration, "configuration")


async def resolve_instances(
    info: Info,
    account_id: strawberry.ID,
    filter: inputs.InstanceFilter | None = strawberry.UNSET,  # noqa: A002
    order_by: inputs.InstanceOrder | None = strawberry.UNSET,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
    offset: Annotated[
        int | None, strawberry.argument(description="Jump to a page; not with a cursor.")
    ] = strawberry.UNSET,
) -> connections.Connection[Instance]:
    order, now = order_by or inputs.InstanceOrder(), info.context.now
    ordering = queries.instance_ordering(order.field, descending=order.is_descending)
    request = connections.page_request(
        ordering, first=first, after=after, last=last, before=before, offset=offset
    )
    instance_filter = filter.to_filter() if filter else filters.InstanceFilter(manageable=None)
    filters.check(instance_filter, "filter")
    asked = connections.Asked(selection.selected(info))
    known_id = account_id if filters.is_storable(account_id) else ""
    found: Any = await connections.read(
        asked,
        lambda: queries.fetch_instances(
            database.pool(),
            known_id,
            instance_filter,
            request,
            ordering=ordering,
            now=now,
            columns=rows.columns_of(Instance, asked.nodes),
            counted=asked.count,
        ),
        lambda: queries.count_instances(database.pool(), known_id, instance_filter, now),
    )
    return found  # type: ignore[no-any-return]
