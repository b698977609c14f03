"""Instances with all that is nested in them, and the list of them."""

import datetime as dt
from typing import Annotated, Self

import orjson
import strawberry

from renewals import database, errors, filters, queries, settings, terms
from renewals.database import Row
from schema import catalogue, connections, inputs, orders, scalars
from schema.context import Info


@strawberry.type
class ConfigurationItem:
    label: str
    value: str


@strawberry.type
class Bundle:
    id: strawberry.ID
    name: str
    member_ids: strawberry.Private[list[str]]

    @strawberry.field
    async def instances(self, info: Info) -> list["Instance"]:
        return await load_instances(self.member_ids, info)


@strawberry.type(description="One try of the worker to renew one instance.")
class RenewalAttempt:
    id: strawberry.ID
    instance_id: strawberry.ID
    due_at: dt.datetime
    attempted_at: dt.datetime
    succeeded: bool
    code: errors.RefusalCode | None
    message: str | None
    row: strawberry.Private[Row]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=strawberry.ID(f"{row['run_id']}:{row['instance_id']}"),
            instance_id=row["instance_id"],
            due_at=row["due_at"],
            attempted_at=row["attempted_at"],
            succeeded=row["succeeded"],
            code=row["code"] and errors.RefusalCode(row["code"]),
            message=row["message"],
            row=row,
        )

    @strawberry.field
    async def order(self, info: Info) -> orders.RenewOrder | None:
        return await orders.load_order(self.row["order_id"], info) if self.row["order_id"] else None


@strawberry.type
class Instance:
    id: strawberry.ID = strawberry.field(description="The provider's id.")
    name: str
    billing_mode: terms.BillingMode
    is_trial: bool
    status: terms.InstanceStatus
    renewal_mode: terms.RenewalMode
    auto_renew_months: int
    expires_at: dt.datetime | None = strawberry.field(description="Null: no expiry.")
    monthly_price: scalars.Money
    created_at: dt.datetime
    row: strawberry.Private[Row]

    @classmethod
    def of(cls, row: Row) -> Self:
        return cls(
            id=row["id"],
            name=row["name"],
            billing_mode=terms.BillingMode(row["billing_mode"]),
            is_trial=row["is_trial"],
            status=terms.InstanceStatus(row["status"]),
            renewal_mode=terms.RenewalMode(row["renewal_mode"]),
            auto_renew_months=row["auto_renew_months"],
            expires_at=row["expires_at"],
            monthly_price=row["monthly_price_cents"],
            created_at=row["created_at"],
            row=row,
        )

    @strawberry.field
    async def product(self, info: Info) -> catalogue.Product:
        return catalogue.Product.of(await info.context.load.product.load(self.row["product_code"]))

    @strawberry.field
    async def data_center(self, info: Info) -> catalogue.DataCenter:
        return catalogue.DataCenter.of(await info.context.load.data_center.load(self.row["data_center_code"]))

    @strawberry.field
    def configuration(self) -> list[ConfigurationItem]:
        return [ConfigurationItem(**item) for item in orjson.loads(self.row["configuration"])]

    @strawberry.field
    async def bundle(self, info: Info) -> Bundle | None:
        if self.row["bundle_id"] is None:
            return None
        row = await info.context.load.bundle.load(self.row["bundle_id"])
        return Bundle(id=row["id"], name=row["name"], member_ids=row["members"])

    @strawberry.field
    async def attempts(self, info: Info, first: int | None = 10) -> list[RenewalAttempt]:
        rows = await info.context.load.attempts.load((self.id, _latest(first)))
        return [RenewalAttempt.of(row) for row in rows or []]

    @strawberry.field
    async def orders(self, info: Info, first: int | None = 10) -> list[orders.RenewOrder]:
        rows = await info.context.load.orders.load((self.id, _latest(first)))
        return [orders.RenewOrder.of(row) for row in rows or []]


def _latest(first: int | None) -> int:
    """How many of the latest rows; kept within bounds, for below a mutation nothing may refuse any more."""
    wanted = settings.PAGE_ROWS_DEFAULT if first is None else first
    return min(max(wanted, 0), settings.get().page_rows_max)


async def load_instances(instance_ids: list[str], info: Info) -> list[Instance]:
    """Instances that are known to be the account's, in the order of their ids."""
    return [Instance.of(row) for row in await info.context.load.instance.load_many(instance_ids)]


async def resolve_instance(info: Info, id: strawberry.ID) -> Instance | None:  # noqa: A002
    row = await info.context.load.instance.load(id)
    return Instance.of(row) if row else None


@strawberry.type
class FacetCount:
    value: str
    count: int


@strawberry.type(description="Counts under the same filter, each facet leaving out its own condition.")
class InstanceFacets:
    tabs: list[FacetCount]
    products: list[FacetCount]
    data_centers: list[FacetCount]
    data_center_types: list[FacetCount]
    expiry: list[FacetCount] = strawberry.field(
        description="EXPIRED, 7, 15, 30, LATER; each instance counts in the first of them that holds it."
    )


@strawberry.type
class InstanceConnection(connections.Connection[Instance]):
    filter: strawberry.Private[filters.InstanceFilter]

    @strawberry.field
    async def facets(self, info: Info) -> InstanceFacets:
        context = info.context
        counts = await queries.count_facets(database.pool(), context.account_id, self.filter, context.now)
        facets = {
            facet: [FacetCount(value=value, count=count) for value, count in counted]
            for facet, counted in counts.items()
        }
        return InstanceFacets(
            tabs=facets["tabs"],
            products=facets["products"],
            data_centers=facets["dataCenters"],
            data_center_types=facets["dataCenterTypes"],
            expiry=facets["expiry"],
        )


async def resolve_instances(
    info: Info,
    filter: inputs.InstanceFilter | None = strawberry.UNSET,  # noqa: A002
    order_by: inputs.InstanceOrder | None = strawberry.UNSET,
    first: int | None = strawberry.UNSET,
    after: str | None = strawberry.UNSET,
    last: int | None = strawberry.UNSET,
    before: str | None = strawberry.UNSET,
    offset: Annotated[
        int | None, strawberry.argument(description="Jump to a page; not with a cursor.")
    ] = strawberry.UNSET,
) -> InstanceConnection:
    order, context = order_by or inputs.InstanceOrder(), info.context
    ordering = queries.instance_ordering(order.field, descending=order.is_descending)
    request = connections.page_request(
        ordering, first=first, after=after, last=last, before=before, offset=offset
    )
    instance_filter = filter.to_filter() if filter else filters.InstanceFilter()
    filters.check(instance_filter, "filter")
    return InstanceConnection(
        page=connections.Once(
            lambda: queries.fetch_instances(
                database.pool(),
                context.account_id,
                instance_filter,
                request,
                ordering=ordering,
                now=context.now,
            )
        ),
        count=lambda: queries.count_instances(
            database.pool(), context.account_id, instance_filter, context.now
        ),
        node_of=Instance.of,
        filter=instance_filter,
    )
