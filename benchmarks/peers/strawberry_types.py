"""The types of the Strawberry peer."""

import datetime as dt
from typing import NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

from benchmarks.peers import store
from renewals.domain import model

Money = NewType("Money", int)
CONFIG = StrawberryConfig(scalar_map={Money: strawberry.scalar(name="Money", serialize=store.money)})

for enum in (model.BillingMode, model.InstanceStatus, model.RenewalMode, model.RenewalTab):
    strawberry.enum(enum)


@strawberry.type
class Product:
    name: str


@strawberry.type
class DataCenter:
    name: str


@strawberry.type
class Instance:
    id: strawberry.ID
    name: str
    billing_mode: model.BillingMode
    is_trial: bool
    status: model.InstanceStatus
    renewal_mode: model.RenewalMode
    auto_renew_months: int
    expires_at: dt.datetime | None
    monthly_price: Money
    created_at: dt.datetime
    product: Product
    data_center: DataCenter


@strawberry.type
class InstanceConnection:
    total_count: int
    nodes: list[Instance]


@strawberry.input
class InstanceFilter:
    tab: model.RenewalTab
    expires_from: dt.datetime
    expires_before: dt.datetime
