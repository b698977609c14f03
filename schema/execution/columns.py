"""What compiled selections do with a list of values: read it by columns, complete those, put them together.

It raises on anything that it does not expect. See `compiler`.
"""

import functools
import operator
from asyncio import gather
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutine
from itertools import islice
from types import NoneType
from typing import Any, NamedTuple, NoReturn

from graphql import Undefined

from schema.fields import sources
from schema.limits import slices

Values = Sequence[Any]


class Request(NamedTuple):
    """What one request brings to the compiled code: its context, and the values of its variables."""

    context: Any
    variables: Mapping[str, Any]


Complete = Callable[[Request, Values], Any]
"""Takes a request and some values; answers the completed ones in the same order, or a coroutine."""

Read = Callable[[Any], Any]

LISTS = frozenset({list, tuple, sources.ColumnarRows})


class Fallback(Exception):
    """The compiled code met what graphql-core must look at."""


def unexpected() -> NoReturn:
    raise Fallback


class Method(NamedTuple):
    """The value is what a function of the object alone answers."""

    function: Read


class Attribute(NamedTuple):
    """The value is an attribute, and nothing else will do."""

    name: str


class Part(NamedTuple):
    """The value is a slice of a list, within the bounds that the document and its variables say."""

    of: sources.Sliced
    bounds: slices.Bounds


Source = sources.ColumnSource | sources.Loaded | Part | Method | Attribute
"""Where a field's value comes from."""


class Completion(NamedTuple):
    """How values of one type are completed, and whether that may have to wait for something."""

    complete: Complete
    waits: bool = False


class _Column(NamedTuple):
    """One field: how it is read of rows and of objects, and how what was read is completed.

    `name` is that of the rows' column in which it stands, if it does. `joined` completes the rows themselves, where
    what would be loaded is joined to them.
    """

    source: Source
    completion: Completion
    name: str | None
    of_row: Read
    of_object: Read
    joined: Completion | None

    def read(self, values: Values, by_item: bool) -> Values:
        """What stands in the column of each of the values."""
        if self.name is not None and type(values) is sources.ColumnarRows:
            found: Values = values.columns[self.name]
            return found
        read = [*map(self.of_row if by_item else self.of_object, values)]
        return read if len(read) == len(values) else unexpected()  # a property raised StopIteration

    @property
    def waits(self) -> bool:
        is_loaded = isinstance(self.source, sources.Loaded) or (
            isinstance(self.source, Part) and self.source.of.loader is not None
        )
        return self.completion.waits or is_loaded


class Selection:
    """The plain fields selected of one object type."""

    def __init__(self) -> None:
        self.waits = False
        self._entries: list[str] = []
        self._columns: list[_Column] = []

    @property
    def reads(self) -> bool:
        """Whether anything is read of a value; if not, there is nothing to tell a good one by."""
        return bool(self._columns)

    def add_constant(self, key: str, text: str) -> None:
        self._entries.append(f"{key!r}: {text!r}")

    def add(self, key: str, source: Source, completion: Completion, joined: Completion | None = None) -> None:
        name = source.column if isinstance(source, sources.ColumnSource | sources.Loaded) else None
        column = _Column(source, completion, name, _reader(source, True), _reader(source, False), joined)
        self.waits = self.waits or column.waits
        self._entries.append(f"{key!r}: v{len(self._columns)}")
        self._columns.append(column)

    def complete(self, request: Request, values: Values) -> Any:
        """Completes values none of which is null; raises anything for what graphql-core must complete."""
        by_item = _are_rows(values)
        columns: list[Any] = [None] * len(self._columns)
        for index in self._order:
            columns[index] = _complete_column(request, values, self._columns[index], by_item)
        if self.waits and any(map(iscoroutine, columns)):
            return self._put_together_later(columns)
        return self._put_together(*columns)

    async def _put_together_later(self, columns: list[Any]) -> list[Any]:
        waiting = [index for index, column in enumerate(columns) if iscoroutine(column)]
        for index, column in zip(waiting, await gather(*(columns[index] for index in waiting)), strict=True):
            columns[index] = column
        return self._put_together(*columns)

    @functools.cached_property
    def _order(self) -> list[int]:
        """What may raise at once before what waits, so that nothing is left waiting."""
        return sorted(range(len(self._columns)), key=lambda index: self._columns[index].waits)

    @functools.cached_property
    def _put_together(self) -> Callable[..., list[Any]]:
        """Takes the columns and answers the dictionaries.

        Its text holds the reprs of response keys and type names, and nothing else of a client's.
        """
        names = ", ".join(f"v{index}" for index in range(len(self._columns)))
        text = f"lambda *columns: [{{{', '.join(self._entries)}}} for {names}, in zip(*columns, strict=True)]"
        built: Callable[..., list[Any]] = eval(text)  # noqa: S307
        return built


def _reader(source: Source, by_item: bool) -> Read:
    match source:
        case (
            sources.ColumnSource(name) | sources.Loaded(column=name) | Part(of=sources.Sliced(column=name))
        ) if by_item:
            return operator.itemgetter(name)
        case (
            sources.ColumnSource(name)
            | sources.Loaded(column=name)
            | Part(of=sources.Sliced(column=name))
            | Attribute(name)
        ):
            return operator.attrgetter(name)
        case Method(function):
            return function
    raise AssertionError(source)


def _complete_column(request: Request, values: Values, column: _Column, by_item: bool) -> Any:
    read, source, completion = column.read(values, by_item), column.source, column.completion
    if isinstance(source, Part):
        return _complete_slices(request, read, source, completion)
    if not isinstance(source, sources.Loaded):
        return completion.complete(request, read)
    if values and source.is_in(values[0]):
        return _complete_once(
            request, read, dict(zip(read, values, strict=True)), column.joined or unexpected()
        )
    return _load(request, read, source, completion)


def _complete_once(request: Request, keys: Values, found: dict[Any, Any], completion: Completion) -> Any:
    """Completes what the keys stand for, each once; a key that is null stands for nothing."""
    if None in found:
        found[None] = None
    completed = completion.complete(request, [*found.values()])

    def spread(completed: Values) -> list[Any]:
        answers = dict(zip(found, completed, strict=True))
        return [answers[key] for key in keys]

    return _then(completed, spread)


async def _load(request: Request, keys: Values, source: sources.Loaded, completion: Completion) -> list[Any]:
    """Loads what the keys stand for, and completes it, each once."""
    known = [key for key in dict.fromkeys(keys) if key is not None]
    found = dict(zip(known, await source.of(request.context).load_many(known), strict=True))
    if len(known) < len(keys) and None in keys:
        found[None] = None
    completed = _complete_once(request, keys, found, completion)
    return list(await completed if iscoroutine(completed) else completed)


def _complete_slices(request: Request, values: Values, source: Part, completion: Completion) -> Any:
    """Completes a slice of each of the lists, which are in the values, or are loaded by them."""
    if source.of.loader is not None:
        return _load_slices(request, values, source, completion)
    lists = _slices_of(values, source.bounds.slice(request.variables))
    if make := source.of.make:
        lists = [None if some is None else list(map(make, some)) for some in lists]
    return completion.complete(request, lists)


async def _load_slices(request: Request, values: Values, source: Part, completion: Completion) -> list[Any]:
    """The same of lists that a loader finds: each by its owner's key, or their items by their own."""
    part, loader = source.bounds.slice(request.variables), source.of.of(request.context)
    if source.of.of_owner:
        lists = await loader.load_many([(owner, part) for owner in values])
    else:
        keys = _slices_of(values, part)
        known = list(dict.fromkeys(key for some in keys for key in some or ()))
        found = dict(zip(known, await loader.load_many(known), strict=True))
        lists = [None if some is None else [found[key] for key in some] for some in keys]
    completed = completion.complete(request, lists)
    return list(await completed if iscoroutine(completed) else completed)


def _slices_of(lists: Values, part: slices.Slice) -> list[Sequence[Any] | None]:
    if any(value is not None and type(value) not in LISTS for value in lists):
        unexpected()  # an iterator must be left for graphql-core to refuse
    return [None if value is None else part.of(value) for value in lists]


def of_lists(complete: Complete) -> Complete:
    """Completes lists by completing all their items at once."""

    def complete_lists(request: Request, values: Values) -> Any:
        if not LISTS.issuperset(map(type, values)):
            unexpected()
        # One list is completed as it is, for it may say more than its items do.
        items = values[0] if len(values) == 1 else [item for value in values for item in value]
        return _then(complete(request, items), lambda completed: _parted(completed, values))

    return complete_lists


def _parted(items: list[Any], lists: Sequence[Sequence[Any]]) -> list[list[Any]]:
    rest = iter(items)
    return [list(islice(rest, len(each))) for each in lists]


def nullable(complete: Complete, nullable: bool) -> Complete:
    """Completes values some of which may be null, or of which none may."""

    def complete_some(request: Request, values: Values) -> Any:
        if NoneType not in set(map(type, values)):
            return complete(request, values)
        if not nullable:
            unexpected()
        completed = complete(request, [value for value in values if value is not None])
        return _then(completed, lambda found: restore_nulls(found, values))

    return complete_some


def restore_nulls(completed: Values, values: Values) -> list[Any]:
    rest = iter(completed)
    return [None if value is None else next(rest) for value in values]


def _then(value: Any, use: Callable[[Any], Any]) -> Any:
    """`use` of the value, at once or when it is there."""
    if not iscoroutine(value):
        return use(value)

    async def later() -> Any:
        return use(await value)

    return later()


def _are_rows(values: Values) -> bool:
    """Whether the values are rows or objects; raises for a mixture and for what is neither."""
    kinds = set(map(type, values))
    if kinds <= sources.ROWS:
        return True
    if not kinds.isdisjoint(sources.ROWS) or not all(map(_is_object, kinds)):
        unexpected()
    return False


@functools.cache
def _is_object(kind: type) -> bool:
    return not issubclass(kind, Exception) and not hasattr(kind, "__await__") and kind is not type(Undefined)
