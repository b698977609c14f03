"""Relay connections: a page is read once, however many of its fields are asked for, and a count only if asked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import strawberry

from renewals import paging
from renewals.database import Row
from schema import inputs

Value = TypeVar("Value")


class Once(Generic[Value]):
    """A read that runs when it is first awaited, and whose answer all who await it share."""

    def __init__(self, read: Callable[[], Awaitable[Value]]) -> None:
        self._read = read
        self._reading: asyncio.Future[Value] | None = None

    async def __call__(self) -> Value:
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await self._reading


Pages = Once[paging.Page[Row]]


@strawberry.type
class PageInfo:
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


def page_info(page: paging.Page[Row]) -> PageInfo:
    """Where a page begins and ends, and whether there is more."""
    return PageInfo(
        has_next_page=page.has_next_page,
        has_previous_page=page.has_previous_page,
        start_cursor=page.cursors[0] if page.cursors else None,
        end_cursor=page.cursors[-1] if page.cursors else None,
    )


def page_request(
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
    paging.check(request)
    return request
