"""The root of all reads."""

import strawberry

from schema.customer import accounts, catalog, forecasts, instances, orders, webhooks


@strawberry.type
class Query:
    account = strawberry.field(resolver=accounts.resolve_account)
    instance = strawberry.field(resolver=instances.resolve_instance)
    instances = strawberry.field(resolver=instances.resolve_instances)
    products = strawberry.field(resolver=catalog.resolve_products)
    data_centers = strawberry.field(resolver=catalog.resolve_data_centers)
    quote_renewal = strawberry.field(resolver=orders.resolve_quote_renewal)
    quote_unify_expiry = strawberry.field(resolver=orders.resolve_quote_unify_expiry)
    forecast = strawberry.field(resolver=forecasts.resolve_forecast)
    order = strawberry.field(resolver=orders.resolve_order)
    orders = strawberry.field(resolver=orders.resolve_orders)
    ledger = strawberry.field(resolver=accounts.resolve_ledger)
    webhook_endpoints = strawberry.field(resolver=webhooks.resolve_endpoints)
