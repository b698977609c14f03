"""Relay connections: a page is one statement, with the count in it if that is asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

import strawberry

from renewals import paging
from schema import inputs, selection
from schema.context import Info

Value = TypeVar("Value")
Node = TypeVar("Node")


class Once(Generic[Value]):
    """A read that runs when it is first awaited, and whose answer all who await it share."""

    def __init__(self, read: Callable[[], Awaitable[Value]]) -> None:
        self._read = read
        self._reading: asyncio.Future[Value] | None = None

    async def __call__(self) -> Value:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await self._reading


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
    """A list of nodes: how to read its page, and how to count it where the page does not say."""

    page: strawberry.Private[Once[paging.Page]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]
    asked: strawberry.Private["Asked"]

    @strawberry.field
    async def nodes(self) -> list[Node]:
        return list((await self.page()).rows)

    @strawberry.field
    async def edges(self) -> list[Edge[Node]]:
        page = await self.page()
        return [Edge(node=row, cursor=page.cursor(row)) for row in page.rows]

    @strawberry.field
    async def page_info(self) -> PageInfo:
        page = await self.page()
        return PageInfo(
            has_next_page=page.has_next_page,
            has_previous_page=page.has_previous_page,
            start_cursor=page.cursor(page.rows[0]) if page.rows else None,
            end_cursor=page.cursor(page.rows[-1]) if page.rows else None,
        )

    @strawberry.field
    async def total_count(self) -> int:
        total_count = (await self.page()).total_count if self.asked.counted else None
        return await self.count() if total_count is None else total_count


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a list is selected: below its nodes, and whether its page is to be counted too."""

    nodes: selection.Selected
    counted: bool

    @classmethod
    def of(cls, info: Info) -> Self:
        fields = selection.selected(info)
        paged = any(name in fields for name in ("nodes", "edges", "pageInfo"))
        nodes = fields.below("nodes").joined_with(fields.below("edges", "node"))
        return cls(nodes, paged and "totalCount" in fields)


def page_request(
    ordering: paging.Ordering,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    offset: int | None = None,
) -> paging.PageRequest:
    """The arguments of a list; raises InvalidInput before anything is read."""
    given = inputs.given
    request = paging.PageRequest(
        first=given(first),
        after=given(after),
        last=given(last),
        before=given(before),
        offset=given(offset),
    )
    paging.check(request, ordering)
    return request
