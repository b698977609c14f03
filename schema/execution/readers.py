"""The sources that compiled selections read, and the functions that read them from one row or object."""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from schema.fields import sources
from schema.limits import slices

Read = Callable[[Any], Any]


class Method(NamedTuple):
    """A function that takes only the object and returns the value."""

    function: Read


class Attribute(NamedTuple):
    """An attribute of an object, never a column of a row."""

    name: str


class ListSlice(NamedTuple):
    """A slice of a list, within the bounds given by the document and its variables."""

    source: sources.Sliced
    bounds: slices.Bounds


Source = sources.ColumnSource | sources.Loaded | sources.Batched | ListSlice | Method | Attribute
"""The source of a field's value."""


def build_reader(source: Source, by_item: bool) -> Read:
    """Return the function that reads a field of a row (`by_item`) or of an object."""
    match source:
        case (
            sources.ColumnSource(name)
            | sources.Loaded(column=name)
            | ListSlice(source=sources.Sliced(column=name))
        ) if by_item:
            return operator.itemgetter(name)
        case (
            sources.ColumnSource(name)
            | sources.Loaded(column=name)
            | ListSlice(source=sources.Sliced(column=name))
            | Attribute(name)
        ):
            return operator.attrgetter(name)
        case sources.Batched(columns=names):
            readers = [(operator.itemgetter if by_item else operator.attrgetter)(name) for name in names]
            return lambda value: tuple([read(value) for read in readers])
        case Method(function):
            return function
    raise AssertionError(source)
