"""The root of all that operators read."""

import strawberry

from schema.operator import accounts, catalog, instances, monitoring, orders, webhooks
from schema.shared import connections


@strawberry.type
class Query:
    account = strawberry.field(resolver=accounts.resolve_account)
    api_keys = strawberry.field(resolver=accounts.resolve_api_keys)
    vouchers = strawberry.field(resolver=accounts.resolve_vouchers)
    accounts = connections.connection_field(
        connections.Connection[accounts.Account], accounts.query_accounts, description="All accounts."
    )
    instances = connections.connection_field(
        connections.Connection[instances.Instance],
        instances.query_instances,
        has_offset=True,
        description="The instances of an account, those that renewal management leaves out among them.",
    )
    order = strawberry.field(resolver=orders.resolve_order)
    orders = connections.connection_field(
        connections.Connection[orders.RenewOrder],
        orders.query_orders,
        description="The orders of an account, the latest first.",
    )
    products = strawberry.field(resolver=catalog.resolve_products)
    data_centers = strawberry.field(resolver=catalog.resolve_data_centers)
    renewal_runs = strawberry.field(resolver=monitoring.resolve_runs)
    integrity_report = strawberry.field(resolver=monitoring.resolve_integrity_report)
    audit_log = connections.connection_field(
        connections.Connection[monitoring.AuditEntry],
        monitoring.query_audit_log,
        description="Changes made by operators, the latest first.",
    )
    webhook_endpoints = strawberry.field(resolver=webhooks.resolve_endpoints)
