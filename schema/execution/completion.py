"""Completion of a list of values: the types of compiled functions; how lists, unions and nulls are completed."""

from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutine
from itertools import islice
from types import NoneType
from typing import Any, NamedTuple, NoReturn

from schema.fields import sources

Values = Sequence[Any]


class Request(NamedTuple):
    """The inputs of compiled code from a request: its context, and the values of its variables."""

    context: Any
    variables: Mapping[str, object]


Complete = Callable[[Request, Values], Any]
"""A function that returns values in the form of the response, in the same order, or a coroutine that returns them."""

LISTS = frozenset({list, tuple, sources.ColumnarRows})


class FallbackError(Exception):
    """An error of compiled code for a value that graphql-core must complete."""


def unexpected() -> NoReturn:
    """Raise FallbackError for a value that only graphql-core can complete."""
    raise FallbackError


class Completion(NamedTuple):
    """The function that completes values of one type, and whether it may be asynchronous."""

    complete: Complete
    waits: bool = False


def of_lists(complete: Complete) -> Complete:
    """Return a completion of lists that completes all their items in one call."""

    def complete_lists(request: Request, values: Values) -> object:
        if not LISTS.issuperset(map(type, values)):
            unexpected()
        # A single list is passed on as it is, because it may be a ColumnarRows.
        items = values[0] if len(values) == 1 else [item for value in values for item in value]
        return when_done(complete(request, items), lambda completed: _split(completed, values))

    return complete_lists


def of_union(completions: Mapping[str, Completion]) -> Complete:
    """Return a completion of rows that all have the same `__typename`, which selects one of `completions`."""

    def complete_rows(request: Request, values: Values) -> object:
        names = {value["__typename"] for value in values}
        if len(names) != 1:
            unexpected()
        return completions[names.pop()].complete(request, values)

    return complete_rows


def _split(items: list[object], lists: Sequence[Sequence[object]]) -> list[list[object]]:
    """Split items into lists that are as long as the given lists."""
    rest = iter(items)
    return [list(islice(rest, len(original))) for original in lists]


def with_nulls(complete: Complete, *, is_nullable: bool) -> Complete:
    """Return a completion that keeps nulls if `is_nullable`, and otherwise raises FallbackError for a null."""

    def complete_some(request: Request, values: Values) -> object:
        if NoneType not in set(map(type, values)):
            return complete(request, values)
        if not is_nullable:
            unexpected()
        completed = complete(request, [value for value in values if value is not None])
        return when_done(completed, lambda non_null: restore_nulls(non_null, values))

    return complete_some


def restore_nulls(completed: Values, values: Values) -> list[object]:
    """Return the completed values with the nulls of the original values in their places."""
    rest = iter(completed)
    return [None if value is None else next(rest) for value in values]


def when_done(value: Any, use: Callable[[Any], Any]) -> Any:
    """Return the result of `use` for a value; for a coroutine, return a coroutine that applies `use` to its result."""
    if not iscoroutine(value):
        return use(value)

    async def later() -> object:
        return use(await value)

    return later()
