"""The run-time part of compiled selections: it reads, completes and combines values by columns.

An unexpected value raises an exception; then graphql-core completes the same values. See `compiler`.
"""

import functools
from asyncio import gather
from collections.abc import Callable, Sequence
from inspect import iscoroutine
from typing import Any, NamedTuple

from graphql import Undefined

from schema.execution.completion import LISTS, Completion, Request, Values, unexpected, when_done
from schema.execution.readers import ListSlice, Read, Source, build_reader
from schema.fields import sources
from schema.limits import slices


class _Column(NamedTuple):
    """One field: how it is read from rows and from objects, and how its values are completed.

    `name` is the column that holds the value or its key; it is None unless the source is a ColumnSource or a Loaded.
    `joined` completes the row itself if the statement has joined the table that would otherwise be loaded.
    """

    source: Source
    completion: Completion
    name: str | None
    read_row: Read
    read_object: Read
    joined: Completion | None

    def read(self, values: Values, by_item: bool) -> Values:
        """Return what the source reads from each of `values`, which are rows if `by_item`, and otherwise objects.

        This is the raw value of the field, a key by which it is loaded, or the columns from which it is computed.
        """
        if self.name is not None and type(values) is sources.ColumnarRows:
            column: Values = values.columns[self.name]
            return column
        if isinstance(self.source, sources.Batched) and type(values) is sources.ColumnarRows:
            return [*zip(*[values.columns[name] for name in self.source.columns], strict=True)]
        read = [*map(self.read_row if by_item else self.read_object, values)]
        return read if len(read) == len(values) else unexpected()  # a property raised StopIteration

    @property
    def waits(self) -> bool:
        """Whether reading or completing the field may be asynchronous."""
        is_loaded = isinstance(self.source, sources.Loaded | sources.Batched) or (
            isinstance(self.source, ListSlice) and self.source.source.loader is not None
        )
        return self.completion.waits or is_loaded


class PlainSelection:
    """The selected fields of one object type, all of them plain. `compiler` defines which fields are plain."""

    def __init__(self) -> None:
        self.waits = False
        self._entries: list[str] = []
        self._columns: list[_Column] = []

    @property
    def reads(self) -> bool:
        """Whether any field is read. If none is read, an unexpected value cannot be detected."""
        return bool(self._columns)

    def add_constant(self, key: str, text: str) -> None:
        """Add a response key with a fixed text."""
        self._entries.append(f"{key!r}: {text!r}")

    def add(self, key: str, source: Source, completion: Completion, joined: Completion | None = None) -> None:
        """Add a response key with the source of its values."""
        name = source.column if isinstance(source, sources.ColumnSource | sources.Loaded) else None
        column = _Column(
            source, completion, name, build_reader(source, True), build_reader(source, False), joined
        )
        self.waits = self.waits or column.waits
        self._entries.append(f"{key!r}: v{len(self._columns)}")
        self._columns.append(column)

    def complete(self, request: Request, values: Values) -> Any:
        """Return the completed values, or a coroutine that returns them. No value may be null.

        An exception of any type means that graphql-core must complete the values.
        """
        by_item = _are_rows(values)
        columns: list[object] = [None] * len(self._columns)
        for index in self._order:
            columns[index] = _complete_column(request, values, self._columns[index], by_item)
        if self.waits and any(map(iscoroutine, columns)):
            return self._combine_async(columns)
        return self._combine(*columns)

    async def _combine_async(self, columns: list[Any]) -> list[Any]:
        waiting = [index for index, column in enumerate(columns) if iscoroutine(column)]
        for index, column in zip(waiting, await gather(*(columns[index] for index in waiting)), strict=True):
            columns[index] = column
        return self._combine(*columns)

    @functools.cached_property
    def _order(self) -> list[int]:
        """The order in which columns are completed: the synchronous ones first.

        If a synchronous one raises an exception, no coroutine has been created yet.
        """
        return sorted(range(len(self._columns)), key=lambda index: self._columns[index].waits)

    @functools.cached_property
    def _combine(self) -> Callable[..., list[object]]:
        """A generated function from columns to response dictionaries.

        From a document, its source code contains only response keys, each as its `repr`, so a document cannot inject
        code.
        """
        names = ", ".join(f"v{index}" for index in range(len(self._columns)))
        text = f"lambda *columns: [{{{', '.join(self._entries)}}} for {names}, in zip(*columns, strict=True)]"
        built: Callable[..., list[object]] = eval(text)  # noqa: S307
        return built


def _complete_column(request: Request, values: Values, column: _Column, by_item: bool) -> object:
    read, source, completion = column.read(values, by_item), column.source, column.completion
    if isinstance(source, ListSlice):
        return _complete_slices(request, read, source, completion)
    if isinstance(source, sources.Batched):
        return _read_batch(request, read, source, completion)
    if not isinstance(source, sources.Loaded):
        return completion.complete(request, read)
    if values and source.is_in(values[0]):
        return _complete_once(
            request, read, dict(zip(read, values, strict=True)), column.joined or unexpected()
        )
    return _load(request, read, source, completion)


def _complete_once(request: Request, keys: Values, by_key: dict[Any, Any], completion: Completion) -> Any:
    """Complete the value of each key once. A null key has the value null."""
    if None in by_key:
        by_key[None] = None
    completed = completion.complete(request, [*by_key.values()])

    def spread(completed: Values) -> list[object]:
        completed_by_key = dict(zip(by_key, completed, strict=True))
        return [completed_by_key[key] for key in keys]

    return when_done(completed, spread)


async def _load(
    request: Request, keys: Values, source: sources.Loaded, completion: Completion
) -> list[object]:
    """Load and complete the value of each key once."""
    distinct = [key for key in dict.fromkeys(keys) if key is not None]
    by_key = dict(zip(distinct, await source.of(request.context).load_many(distinct), strict=True))
    if len(distinct) < len(keys) and None in keys:
        by_key[None] = None
    completed = _complete_once(request, keys, by_key, completion)
    return list(await completed if iscoroutine(completed) else completed)


async def _read_batch(
    request: Request, keys: Values, source: sources.Batched, completion: Completion
) -> list[object]:
    """Compute the values of all keys in one call, and complete each distinct object once."""
    results = await source.read(request.context.load, keys)
    if len(results) != len(keys):
        unexpected()
    distinct = {id(result): result for result in results}
    values = completion.complete(request, [*distinct.values()])
    completed = dict(zip(distinct, await values if iscoroutine(values) else values, strict=True))
    return [completed[id(result)] for result in results]


def _complete_slices(request: Request, values: Values, source: ListSlice, completion: Completion) -> object:
    """Complete a slice of each list. `values` are the lists, lists of the items' keys, or keys of the lists' owners."""
    if source.source.loader is not None:
        return _load_slices(request, values, source, completion)
    lists = _slices_of(values, source.bounds.slice(request.variables))
    if make := source.source.make:
        lists = [None if items is None else list(map(make, items)) for items in lists]
    return completion.complete(request, lists)


async def _load_slices(
    request: Request, values: Values, source: ListSlice, completion: Completion
) -> list[object]:
    """Load and complete slices: each list by the key of its owner, or its items by their own keys."""
    part, loader = source.bounds.slice(request.variables), source.source.of(request.context)
    if source.source.of_owner:
        lists = await loader.load_many([(owner, part) for owner in values])
    else:
        keys = _slices_of(values, part)
        distinct = list(dict.fromkeys(key for list_keys in keys for key in list_keys or ()))
        by_key = dict(zip(distinct, await loader.load_many(distinct), strict=True))
        lists = [None if list_keys is None else [by_key[key] for key in list_keys] for list_keys in keys]
    completed = completion.complete(request, lists)
    return list(await completed if iscoroutine(completed) else completed)


def _slices_of(lists: Values, part: slices.Slice) -> list[Sequence[object] | None]:
    if any(value is not None and type(value) not in LISTS for value in lists):
        unexpected()  # graphql-core must refuse an iterator, so nothing may consume it here
    return [None if value is None else part.of(value) for value in lists]


def _are_rows(values: Values) -> bool:
    """Return whether the values are rows, not objects; raise FallbackError for a mixture and for other values."""
    kinds = set(map(type, values))
    if kinds <= sources.ROWS:
        return True
    if not kinds.isdisjoint(sources.ROWS) or not all(map(_is_object, kinds)):
        unexpected()
    return False


@functools.cache
def _is_object(kind: type) -> bool:
    return not issubclass(kind, Exception) and not hasattr(kind, "__await__") and kind is not type(Undefined)
