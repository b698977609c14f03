"""The root of all that operators read."""

import strawberry

from schema import catalogue
from schema.operator import accounts


@strawberry.type
class Query:
    account = strawberry.field(resolver=accounts.resolve_account)
    api_keys = strawberry.field(resolver=accounts.resolve_api_keys)
    vouchers = strawberry.field(resolver=accounts.resolve_vouchers)
    accounts = strawberry.field(resolver=accounts.resolve_accounts)
    products = strawberry.field(resolver=catalogue.resolve_products)
    data_centers = strawberry.field(resolver=catalogue.resolve_data_centers)
