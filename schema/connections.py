"""Relay connections: a page is read once, however many of its fields are asked for, and a count only if asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import strawberry

from renewals import paging
from renewals.database import Row
from schema import inputs

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
    """A list of nodes: how to read its page, and how to count it."""

    page: strawberry.Private[Once[paging.Page[Row]]]
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field
    async def nodes(self) -> list[Node]:
        return list((await self.page()).items)

    @strawberry.field
    async def edges(self) -> list[Edge[Node]]:
        page = await self.page()
        return [Edge(node=row, cursor=cursor) for row, cursor in zip(page.items, page.cursors, strict=True)]

    @strawberry.field
    async def page_info(self) -> PageInfo:
        page = await self.page()
        return PageInfo(
            has_next_page=page.has_next_page,
            has_previous_page=page.has_previous_page,
            start_cursor=page.cursors[0] if page.cursors else None,
            end_cursor=page.cursors[-1] if page.cursors else None,
        )

    @strawberry.field
    async def total_count(self) -> int:
        return await self.count()


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
