"""The root of all that operators read."""

import strawberry

from schema.operator import accounts, catalog, instances, monitoring, orders, webhooks


@strawberry.type
class Query:
    account = strawberry.field(resolver=accounts.resolve_account)
    api_keys = strawberry.field(resolver=accounts.resolve_api_keys)
    vouchers = strawberry.field(resolver=accounts.resolve_vouchers)
    accounts = strawberry.field(resolver=accounts.resolve_accounts)
    instances = strawberry.field(resolver=instances.resolve_instances)
    order = strawberry.field(resolver=orders.resolve_order)
    orders = strawberry.field(resolver=orders.resolve_orders)
    products = strawberry.field(resolver=catalog.resolve_products)
    data_centers = strawberry.field(resolver=catalog.resolve_data_centers)
    renewal_runs = strawberry.field(resolver=monitoring.resolve_runs)
    integrity_report = strawberry.field(resolver=monitoring.resolve_integrity_report)
    audit_log = strawberry.field(resolver=monitoring.resolve_audit_log)
    webhook_endpoints = strawberry.field(resolver=webhooks.resolve_endpoints)
