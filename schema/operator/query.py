"""The root of the operators' queries."""

import strawberry

from schema.operator import accounts, catalog, instances, monitoring, orders, webhooks
from schema.shared import connections

DESCRIPTION = "Reads of all accounts, of the catalog, and of the service itself."


@strawberry.type(description=DESCRIPTION)
class Query:
    account = strawberry.field(
        resolver=accounts.resolve_account, description="An account. Null if there is no account with this id."
    )
    api_keys = strawberry.field(
        resolver=accounts.resolve_api_keys,
        description="API keys ordered by creation, including revoked ones.",
    )
    vouchers = strawberry.field(
        resolver=accounts.resolve_vouchers,
        description=(
            "All vouchers of an account in the order in which they pay, including used up and expired ones. Empty if "
            "there is no such account."
        ),
    )
    accounts = connections.connection_field(
        connections.Connection[accounts.Account],
        accounts.query_accounts,
        description="All accounts, or those that match `search`, ordered by id.",
    )
    instances = connections.connection_field(
        connections.Connection[instances.Instance],
        instances.query_instances,
        has_offset=True,
        description="The instances of an account, including those that cannot be renewed.",
    )
    order = strawberry.field(
        resolver=orders.resolve_order,
        description="An order of any account. Null if there is no order with this id.",
    )
    orders = connections.connection_field(
        connections.Connection[orders.RenewOrder],
        orders.query_orders,
        description="The orders of an account, newest first.",
    )
    products = strawberry.field(
        resolver=catalog.resolve_products, description="All products, ordered by code."
    )
    data_center_types = strawberry.field(
        resolver=catalog.resolve_data_center_types, description="All types of data centers, ordered by code."
    )
    data_centers = strawberry.field(
        resolver=catalog.resolve_data_centers, description="All data centers, ordered by code."
    )
    renewal_runs = strawberry.field(
        resolver=monitoring.resolve_runs, description="The latest runs of the worker, newest first."
    )
    integrity_report = strawberry.field(
        resolver=monitoring.resolve_integrity_report,
        description=(
            "Checks every invariant of the data now. The check reads all tables, so its duration grows with the data."
        ),
    )
    audit_log = connections.connection_field(
        connections.Connection[monitoring.AuditEntry],
        monitoring.query_audit_log,
        description="Changes made by operators, newest first.",
    )
    webhook_endpoints = strawberry.field(
        resolver=webhooks.resolve_endpoints, description="The webhook endpoints of one owner."
    )
