"""Relay connections: fields that read only the parts of a list that the client selected."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, TypeVar

import strawberry

from renewals.concurrency import fair_queue
from renewals.db import pagination
from renewals.domain import limits
from schema.fields import selected, sources
from schema.shared import inputs

Node = TypeVar("Node")

_PAGE_FIELDS = frozenset({"nodes", "edges", "pageInfo"})


@strawberry.type(description="The position of a page in its list, as Relay defines it.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether rows follow the page. With `first` and `before`, only rows before the cursor count."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether rows precede the page. With `last` and `after`, only rows after the cursor count."
    )
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first row, for `before`. Null if the page is empty."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last row, for `after`. Null if the page is empty."
    )


@strawberry.type(description="A row of a page with its cursor.")
class Edge(Generic[Node]):
    node: Node = strawberry.field(description="The row.")
    cursor: str = strawberry.field(
        description="Opaque position of the row, for `after` and `before` in the same sort order."
    )


@strawberry.type(description="A page of a list. Only the selected fields are read from the database.")
class Connection(Generic[Node]):
    nodes: list[Node] = strawberry.field(description="The rows of the page, without cursors.")
    edges: list[Edge[Node]] = strawberry.field(description="The rows of the page, each with its cursor.")
    page_info: PageInfo = strawberry.field(description="Whether there are more rows, and the page's cursors.")
    total_count: int = strawberry.field(description="Number of rows on all pages, under the same filter.")


@dataclass(frozen=True, slots=True)
class RequestedFields:
    """The fields of a connection that the client selected."""

    fields: selected.Selected

    @property
    def page(self) -> bool:
        """Whether any field needs the rows of the page."""
        return not _PAGE_FIELDS.isdisjoint(self.fields.fields)

    @property
    def count(self) -> bool:
        """Whether the total count is selected."""
        return "totalCount" in self.fields

    @property
    def nodes(self) -> selected.Selected:
        """The selected fields of each row, in `nodes` or in `edges`."""
        return selected.merged(self.fields.below("nodes"), self.fields.below("edges").below("node"))


@dataclass(frozen=True, slots=True)
class ConnectionQuery:
    """The queries that read one list: its page, its count, and the extra fields of its connection type."""

    ordering: pagination.SortOrder
    fetch_page: Callable[[pagination.PageRequest, RequestedFields], Awaitable[pagination.Page]]
    count: Callable[[], Awaitable[int]]
    """The query for the total count, used if the page does not include the count."""
    extra_fields: Mapping[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)


_FIRST = (
    f"Number of rows, from the start of the list or after the cursor `after`. At most {limits.PAGE_ROWS_MAX:,}; "
    f"{limits.PAGE_ROWS_DEFAULT} if neither `first` nor `last` is sent."
)
_LAST = (
    f"Number of rows, from the end of the list or before the cursor `before`. At most {limits.PAGE_ROWS_MAX:,}; "
    "cannot be combined with `first`."
)
_PAGE_ARGUMENTS: Mapping[str, tuple[object, str]] = {
    "first": (int | None, _FIRST),
    "after": (str | None, "A cursor: return only rows after this one."),
    "last": (
        int | None,
        _LAST,
    ),
    "before": (str | None, "A cursor: return only rows before this one."),
    "offset": (
        int | None,
        "Number of rows to skip, for page numbers. Cannot be combined with a cursor or with `last`.",
    ),
}


def connection_field(
    connection_type: object,
    build_query: Callable[..., ConnectionQuery],
    *,
    description: str,
    has_offset: bool = False,
) -> object:
    """Return a field that pages through a list with `first`, `after`, `last`, `before` and, if `has_offset`, `offset`.

    `build_query` receives the info of the request and the field's other arguments. It raises InvalidInputError for an
    argument that is out of bounds.
    """

    async def resolve(info: strawberry.Info[object, None], **arguments: object) -> object:
        page = {name: arguments.pop(name, None) for name in _PAGE_ARGUMENTS}
        query = build_query(info, **arguments)
        request = _page_request(query.ordering, page)
        result = await _read(query, request, RequestedFields(selected.selected(info)))
        await fair_queue.enter_lane_after_read()
        return result

    parameters = [
        *inspect.signature(build_query).parameters.values(),
        *_page_parameters(has_offset=has_offset),
    ]
    resolve.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        parameters, return_annotation=connection_type
    )
    return strawberry.field(resolver=resolve, description=description)


def _page_parameters(*, has_offset: bool) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=strawberry.UNSET,
            annotation=Annotated[value_type, strawberry.argument(description=description)],
        )
        for name, (value_type, description) in _PAGE_ARGUMENTS.items()
        if has_offset or name != "offset"
    ]


def _page_request(ordering: pagination.SortOrder, arguments: Mapping[str, Any]) -> pagination.PageRequest:
    """Return the requested page; raise InvalidInputError if an argument is out of bounds, before anything is read."""
    request = pagination.PageRequest(
        **{name: inputs.unset_to_none(value) for name, value in arguments.items()}
    )
    pagination.check_page_request(request, ordering)
    return request


async def _read(
    query: ConnectionQuery, request: pagination.PageRequest, requested: RequestedFields
) -> dict[str, object]:
    """Return the selected fields of a connection."""
    result: dict[str, object] = {}
    if requested.page:
        page = await query.fetch_page(request, requested)
        result["nodes"] = sources.ColumnarRows(page.rows)
        if "edges" in requested.fields:
            result["edges"] = [{"node": row, "cursor": page.cursor(row)} for row in page.rows]
        if "pageInfo" in requested.fields:
            result["page_info"] = {
                "has_next_page": page.has_next_page,
                "has_previous_page": page.has_previous_page,
                "start_cursor": page.cursor(page.rows[0]) if page.rows else None,
                "end_cursor": page.cursor(page.rows[-1]) if page.rows else None,
            }
        if page.total_count is not None:
            result["total_count"] = page.total_count
    if requested.count and "total_count" not in result:
        result["total_count"] = await query.count()
    for name, read in query.extra_fields.items():
        if name in requested.fields:
            result[name] = await read()
    return result
