"""Relay connections: what is selected of a list is read at once, its page and its count by one statement."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import strawberry

from renewals.db import pagination
from schema.fields import selected, sources
from schema.shared import inputs

Node = TypeVar("Node")

_OF_PAGE = frozenset({"nodes", "edges", "pageInfo"})


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class Edge(Generic[Node]):
    node: Node
    cursor: str


@strawberry.type
class Connection(Generic[Node]):
    nodes: list[Node]
    edges: list[Edge[Node]]
    page_info: PageInfo
    total_count: int


@dataclass(frozen=True, slots=True)
class RequestedFields:
    """What of a list is selected."""

    fields: selected.Selected

    @property
    def page(self) -> bool:
        return not _OF_PAGE.isdisjoint(self.fields.fields)

    @property
    def count(self) -> bool:
        return "totalCount" in self.fields

    @property
    def nodes(self) -> selected.Selected:
        """What is selected of each node, here or there."""
        return selected.merged(self.fields.below("nodes"), self.fields.below("edges").below("node"))


async def read(
    asked: RequestedFields,
    fetch_page: Callable[[], Awaitable[pagination.Page]],
    count: Callable[[], Awaitable[int]],
) -> dict[str, Any]:
    """The selected fields of a connection; `count` is for when its page does not say."""
    found: dict[str, Any] = {}
    if asked.page:
        page = await fetch_page()
        found["nodes"] = sources.ColumnarRows(page.rows)
        if "edges" in asked.fields:
            found["edges"] = [{"node": row, "cursor": page.cursor(row)} for row in page.rows]
        if "pageInfo" in asked.fields:
            found["page_info"] = {
                "has_next_page": page.has_next_page,
                "has_previous_page": page.has_previous_page,
                "start_cursor": page.cursor(page.rows[0]) if page.rows else None,
                "end_cursor": page.cursor(page.rows[-1]) if page.rows else None,
            }
        if page.total_count is not None:
            found["total_count"] = page.total_count
    if asked.count and "total_count" not in found:
        found["total_count"] = await count()
    return found


def page_request(
    ordering: pagination.SortOrder,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    offset: int | None = None,
) -> pagination.PageRequest:
    """The arguments of a list; raises InvalidInputError before anything is read."""
    given = inputs.unset_to_none
    request = pagination.PageRequest(
        first=given(first),
        after=given(after),
        last=given(last),
        before=given(before),
        offset=given(offset),
    )
    pagination.check_page_request(request, ordering)
    return request
