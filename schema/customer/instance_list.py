"""The list of instances, with its facets."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from renewals.db import connection as database
from renewals.domain import errors, tags
from renewals.instances import facets as instance_facets
from renewals.instances import filters
from renewals.instances import queries as instances_queries
from schema.context import Info
from schema.customer import inputs
from schema.customer.instances import Instance
from schema.fields import selected_columns
from schema.shared import connections


@strawberry.type(description="Number of instances with one value of a facet.")
class FacetCount:
    value: str = strawberry.field(
        description="An enum value, a code of the catalog, an expiry range, or a tag's value."
    )
    count: int = strawberry.field(description="Number of matching instances.")


async def _count_tag_values(
    facets: strawberry.Parent["InstanceFacets"],
    key: Annotated[str, strawberry.argument(description="The key of the tag.")],
) -> list[FacetCount]:
    """Count the instances for each of a tag's most frequent values; raise InvalidInputError if the key is not valid."""
    if problem := tags.find_key_problem(key):
        raise errors.InvalidInputError("key", problem)
    return await facets.count_tag_values(key)


@strawberry.type(
    description=(
        "Numbers of instances that match the list's filter. Each facet ignores the condition on its own property."
    )
)
class InstanceFacets:
    tabs: list[FacetCount] = strawberry.field(description="By RenewalTab, zeros included.")
    products: list[FacetCount] = strawberry.field(description="By product code, the largest count first.")
    data_centers: list[FacetCount] = strawberry.field(
        description="By data center code, the largest count first."
    )
    data_center_types: list[FacetCount] = strawberry.field(
        description="By the code of the data center's type, the largest count first."
    )
    expiry: list[FacetCount] = strawberry.field(
        description=(
            "By expiry: EXPIRED, LATER, or the smallest number of days (7, 15 or 30) within which the instance "
            "expires. Instances without an expiry are not counted."
        )
    )
    count_tag_values: strawberry.Private[Callable[[str], Awaitable[list[FacetCount]]]]

    tags: list[FacetCount] = strawberry.field(
        resolver=_count_tag_values,
        description=(
            "By the value of the tag with the given key, the largest count first, at most "
            f"{instance_facets.TAG_VALUES_MAX} values. Instances without the tag are not counted."
        ),
    )


@strawberry.type(description="A page of instances. Only the selected fields are read from the database.")
class InstanceConnection(connections.Connection[Instance]):
    facets: InstanceFacets = strawberry.field(description="Counts for the filters of a console.")


def query_instances(
    info: Info,
    filter: Annotated[  # noqa: A002
        inputs.InstanceFilter | None,
        strawberry.argument(
            description="Conditions that must all hold. Null: all manageable instances that are not released."
        ),
    ] = strawberry.UNSET,
    order_by: Annotated[
        inputs.InstanceOrder | None,
        strawberry.argument(description="The sort order. Null: by expiry, the earliest first."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with the account's instances.

    Raises InvalidInputError if the filter is out of bounds.
    """
    ordering, instance_filter = inputs.to_instance_ordering(order_by), inputs.to_instance_filter(filter)
    account_id, now = info.context.account_id, info.context.now
    return connections.ConnectionQuery(
        ordering,
        lambda page, requested: instances_queries.fetch_instances(
            database.pool(),
            account_id,
            instance_filter,
            page,
            ordering=ordering,
            now=now,
            columns=selected_columns.columns_of(Instance, requested.nodes),
            counted=requested.count,
        ),
        lambda: instances_queries.count_instances(database.pool(), account_id, instance_filter, now),
        {"facets": lambda: _count_facets(account_id, instance_filter, now)},
    )


async def _count_facets(
    account_id: str, instance_filter: filters.InstanceFilter, now: dt.datetime
) -> InstanceFacets:
    counts = await instance_facets.count_facets(database.pool(), account_id, instance_filter, now)
    facets = {
        facet: [FacetCount(value=value, count=count) for value, count in counted]
        for facet, counted in counts.items()
    }

    async def count_tag_values(key: str) -> list[FacetCount]:
        values = await instance_facets.count_tag_values(
            database.pool(), account_id, instance_filter, key, now
        )
        return [FacetCount(value=value, count=count) for value, count in values]

    return InstanceFacets(
        count_tag_values=count_tag_values,
        tabs=facets["tabs"],
        products=facets["products"],
        data_centers=facets["dataCenters"],
        data_center_types=facets["dataCenterTypes"],
        expiry=facets["expiry"],
    )
