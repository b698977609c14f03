"""The root of the customers' queries."""

import strawberry

from schema.customer import (
    accounts,
    catalog,
    events,
    forecasts,
    instance_list,
    instances,
    labels,
    orders,
    policy_preview,
    viewer,
    webhooks,
)
from schema.shared import connections

DESCRIPTION = "Reads of the caller's own account, and of the catalog."


@strawberry.type(description=DESCRIPTION)
class Query:
    viewer = strawberry.field(
        resolver=viewer.resolve_viewer,
        description="The caller: its key or token, its account, and the limits of this API.",
    )
    account = strawberry.field(resolver=accounts.resolve_account, description="The caller's account.")
    instance = strawberry.field(
        resolver=instances.resolve_instance,
        description="An instance of any status and product. Null if the account has no instance with this id.",
    )
    instances = connections.connection_field(
        instance_list.InstanceConnection,
        instance_list.query_instances,
        has_offset=True,
        description="The account's instances. Released ones are included only if the filter's status names RELEASED.",
    )
    labels = strawberry.field(
        resolver=labels.resolve_labels,
        description="Labels of all enum values in the caller's language, for menus and tables.",
    )
    products = strawberry.field(resolver=catalog.resolve_products, description="All products of the catalog.")
    data_center_types = strawberry.field(
        resolver=catalog.resolve_data_center_types,
        description="All types of data centers of the catalog, ordered by code.",
    )
    data_centers = strawberry.field(
        resolver=catalog.resolve_data_centers, description="All data centers of the catalog."
    )
    quote_renewal = strawberry.field(
        resolver=orders.resolve_quote_renewal,
        description="The price and the result of renewInstances, if it were called now.",
    )
    quote_unify_expiry = strawberry.field(
        resolver=orders.resolve_quote_unify_expiry,
        description="The price and the result of unifyExpiry, if it were called now.",
    )
    preview_renewal_policy = strawberry.field(
        resolver=policy_preview.resolve_policy_preview,
        description="What setRenewalPolicy would do, if it were called now.",
    )
    forecast = strawberry.field(
        resolver=forecasts.resolve_forecast,
        description="The automatic renewals of the coming days, and whether there is enough money.",
    )
    order = strawberry.field(
        resolver=orders.resolve_order, description="An order. Null if the account has no order with this id."
    )
    orders = connections.connection_field(
        connections.Connection[orders.RenewOrder],
        orders.query_orders,
        description="The account's orders, the latest first.",
    )
    ledger = connections.connection_field(
        connections.Connection[accounts.LedgerEntry],
        accounts.query_ledger,
        description="The account's ledger, the latest entry first.",
    )
    event_history = connections.connection_field(
        connections.Connection[events.Event],
        events.query_history,
        description="The account's past events, the newest first. The subscription `events` sends new ones.",
    )
    webhook_endpoints = strawberry.field(
        resolver=webhooks.resolve_endpoints, description="The account's webhook endpoints, with their status."
    )
