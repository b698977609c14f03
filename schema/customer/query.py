"""The root of all reads."""

import strawberry

from schema.customer import accounts, catalog, forecasts, instances, orders, webhooks
from schema.shared import connections


@strawberry.type
class Query:
    account = strawberry.field(resolver=accounts.resolve_account)
    instance = strawberry.field(resolver=instances.resolve_instance)
    instances = connections.connection_field(
        instances.InstanceConnection,
        instances.query_instances,
        has_offset=True,
        description="The account's instances.",
    )
    products = strawberry.field(resolver=catalog.resolve_products)
    data_centers = strawberry.field(resolver=catalog.resolve_data_centers)
    quote_renewal = strawberry.field(resolver=orders.resolve_quote_renewal)
    quote_unify_expiry = strawberry.field(resolver=orders.resolve_quote_unify_expiry)
    forecast = strawberry.field(resolver=forecasts.resolve_forecast)
    order = strawberry.field(resolver=orders.resolve_order)
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
    webhook_endpoints = strawberry.field(resolver=webhooks.resolve_endpoints)
