"""From the selection of an object type to a function that completes a whole list of its values.

It goes by columns: reads one field of all the values, completes what it read, and in the end puts the
columns together as the response's dictionaries. It reads what is plain: columns and attributes, methods of
the value alone, and what a loader finds by a key. It never says what an error looks like: on anything it
does not expect it raises, and its caller has graphql-core complete the same values again. That is allowed
because "the resolution of fields other than top-level mutation fields must always be side effect-free and
idempotent" (GraphQL specification, 6.2.2).
"""

import datetime as dt
import decimal
import functools
import math
import operator
import uuid
from asyncio import gather
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutine
from itertools import islice
from types import NoneType
from typing import Any, NamedTuple, NoReturn

import asyncpg.pgproto.pgproto
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema import rows

Values = Sequence[Any]
Complete = Callable[[Any, Values], Any]
"""Takes a request's context and some values; answers the completed ones in the same order, or a coroutine."""

Convert = Callable[[Values], Values]
"""Takes leaves of the right kind and answers them as the response has them."""

Read = Callable[[Any], Any]

LISTS = frozenset({list, tuple})

_STR = frozenset({str})
_UUIDS = frozenset({uuid.UUID, asyncpg.pgproto.pgproto.UUID})
_INERT = frozenset({bool, dict, float, int, list, str, dt.date, dt.datetime, decimal.Decimal, *_UUIDS})
"""Types whose values are neither awaitables, errors nor nothing, so that a scalar's own coercion says all there is."""


class Unexpected(Exception):
    """The compiled code met what graphql-core must look at."""


def unexpected() -> NoReturn:
    raise Unexpected


class Method(NamedTuple):
    """The value is what a function of the object alone answers."""

    function: Read


class Attribute(NamedTuple):
    """The value is an attribute, and nothing else will do."""

    name: str


Source = rows.Column | rows.Loaded | Method | Attribute
"""Where a field's value comes from."""


class Completion(NamedTuple):
    """How values of one type are completed, and whether that may have to wait for something."""

    complete: Complete
    waits: bool = False


class Compiler:
    """Compiles the selections of one document.

    `collect` answers the selection of a type under field nodes. `at_once` has, for the coercion of a scalar,
    one of all values of a column, which answers None where it cannot.
    """

    def __init__(
        self,
        collect: Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet],
        get_field: Callable[[GraphQLObjectType, str], GraphQLField | None],
        at_once: Mapping[Read, Callable[[Values], Values | None]],
    ) -> None:
        self._collect = collect
        self._get_field = get_field
        self._at_once = at_once

    def selection(
        self, object_type: GraphQLObjectType, fields: GroupedFieldSet, table: str | None = None
    ) -> "Selection | None":
        """What completes these fields, or None if one of them is not plain.

        With a table the values are rows to which it is joined, and the fields are read from its columns.
        """
        selection = Selection()
        for key, details in fields.items():
            if not self._add(selection, object_type, key, details, table):
                return None
        return selection if selection.reads else None

    def immediate(
        self, object_type: GraphQLObjectType, fields: GroupedFieldSet
    ) -> "tuple[Selection | None, GroupedFieldSet]":
        """What completes those of the fields that are plain and never wait, and the other fields."""
        plain = {}
        for key, details in fields.items():
            alone = Selection()
            if self._add(alone, object_type, key, details) and not alone.waits:
                plain[key] = details
        others = {key: details for key, details in fields.items() if key not in plain}
        return self.selection(object_type, plain), others

    def completion(
        self, return_type: GraphQLOutputType, details: FieldDetailsList, table: str | None = None
    ) -> Completion | None:
        """How values of a type are completed, or None if graphql-core must; `table` as in `selection`."""
        nullable = not isinstance(return_type, GraphQLNonNull)
        match return_type.of_type if isinstance(return_type, GraphQLNonNull) else return_type:
            case GraphQLScalarType() as scalar:
                return Completion(self._scalar(scalar, nullable=nullable))
            case GraphQLEnumType() as enum:
                return Completion(_enum(enum, nullable=nullable))
            case GraphQLList() as several:
                if items := self.completion(several.of_type, details):
                    return Completion(_nullable(_of_lists(items.complete), nullable), items.waits)
            case GraphQLObjectType(is_type_of=None) as object_type:
                if selection := self.selection(object_type, self._collect(object_type, details), table):
                    return Completion(_nullable(selection.complete, nullable), selection.waits)
        return None

    def _add(
        self,
        selection: "Selection",
        parent: GraphQLObjectType,
        key: str,
        details: FieldDetailsList,
        table: str | None = None,
    ) -> bool:
        name = details[0].node.name.value
        field = self._get_field(parent, name)
        if name == "__typename":
            selection.add_constant(key, parent.name)
        elif field is not None:  # graphql-core leaves an unknown field out
            source = _source_of(field)
            if source is None or (
                isinstance(source, rows.Loaded) and is_leaf_type(get_named_type(field.type))
            ):
                return False
            if table is not None:
                if not isinstance(source, rows.Column):
                    return False
                source = rows.Column(f"{table}.{source.name}")
            completion = self.completion(field.type, details)
            if completion is None:
                return False
            joined = None
            if isinstance(source, rows.Loaded) and source.joined is not None:
                joined = self.completion(field.type, details, source.joined)
            selection.add(key, source, completion, joined)
        return True

    def _scalar(self, scalar: GraphQLScalarType, *, nullable: bool) -> Complete:
        if scalar in _BUILT_IN:
            return _leaf(*_BUILT_IN[scalar], nullable=nullable)
        coerce = scalar.coerce_output_value
        coerce_at_once = self._at_once.get(coerce)

        def convert(values: Values) -> Values:
            if coerce_at_once is not None and (coerced := coerce_at_once(values)) is not None:
                return coerced
            coerced = [coerce(value) for value in values]
            return coerced if _INERT.issuperset(map(type, coerced)) else unexpected()

        return _leaf(_INERT, convert, nullable=nullable)


class _Column(NamedTuple):
    """One field: how it is read of rows and of objects, and how what was read is completed.

    `joined` completes the rows themselves, where what would be loaded is joined to them.
    """

    source: Source
    completion: Completion
    of_row: Read
    of_object: Read
    joined: Completion | None


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
        self.waits = self.waits or completion.waits or isinstance(source, rows.Loaded)
        self._entries.append(f"{key!r}: v{len(self._columns)}")
        self._columns.append(
            _Column(source, completion, _reader(source, True), _reader(source, False), joined)
        )

    def complete(self, context: Any, values: Values) -> Any:
        """Completes values none of which is null; raises anything for what graphql-core must complete."""
        by_item = _are_rows(values)
        columns: list[Any] = []
        try:
            columns.extend(_complete_column(context, values, column, by_item) for column in self._columns)
        except Exception:
            for waiting in filter(iscoroutine, columns):
                waiting.close()
            raise
        return (
            self._put_together_later(columns)
            if any(map(iscoroutine, columns))
            else self._put_together(*columns)
        )

    async def _put_together_later(self, columns: list[Any]) -> list[Any]:
        waiting = [index for index, column in enumerate(columns) if iscoroutine(column)]
        for index, column in zip(waiting, await gather(*(columns[index] for index in waiting)), strict=True):
            columns[index] = column
        return self._put_together(*columns)

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
        case rows.Column(name) | rows.Loaded(column=name) if by_item:
            return operator.itemgetter(name)
        case rows.Column(name) | rows.Loaded(column=name) | Attribute(name):
            return operator.attrgetter(name)
        case Method(function):
            return function
    raise AssertionError(source)


def _complete_column(context: Any, values: Values, column: _Column, by_item: bool) -> Any:
    read = [*map(column.of_row if by_item else column.of_object, values)]
    if len(read) < len(values):
        unexpected()  # a property raised StopIteration
    source, completion = column.source, column.completion
    if not isinstance(source, rows.Loaded):
        return completion.complete(context, read)
    if values and source.is_in(values[0]):
        if column.joined is None:
            unexpected()
        if NoneType in set(map(type, read)):
            values = [None if key is None else row for key, row in zip(read, values, strict=True)]
        return column.joined.complete(context, values)
    return _load(context, read, source, completion)


async def _load(context: Any, keys: list[Any], source: rows.Loaded, completion: Completion) -> list[Any]:
    """Loads what the keys stand for, and completes it, each once."""
    if source.many:
        return await _load_lists(context, keys, source, completion)
    known = [key for key in dict.fromkeys(keys) if key is not None]
    found = dict(zip(known, await source.of(context).load_many(known), strict=True))
    if len(known) < len(keys) and None in keys:
        found[None] = None
    completed = completion.complete(context, list(found.values()))
    answers = dict(zip(found, await completed if iscoroutine(completed) else completed, strict=True))
    return [answers[key] for key in keys]


async def _load_lists(
    context: Any, keys: list[Sequence[Any] | None], source: rows.Loaded, completion: Completion
) -> list[Any]:
    """The same where each value has a list of keys."""
    if any(some is not None and type(some) not in LISTS for some in keys):
        unexpected()  # an iterator must be left for graphql-core to read
    known = list(dict.fromkeys(key for some in keys for key in some or ()))
    found = dict(zip(known, await source.of(context).load_many(known), strict=True))
    lists = [None if some is None else [found[key] for key in some] for some in keys]
    completed = completion.complete(context, lists)
    return list(await completed if iscoroutine(completed) else completed)


def _of_lists(complete: Complete) -> Complete:
    """Completes lists by completing all their items at once."""

    def complete_lists(context: Any, values: Values) -> Any:
        if not LISTS.issuperset(map(type, values)):
            unexpected()
        completed = complete(context, [item for value in values for item in value])
        return _then(completed, lambda items: _parted(items, values))

    return complete_lists


def _parted(items: list[Any], lists: Sequence[Sequence[Any]]) -> list[list[Any]]:
    rest = iter(items)
    return [list(islice(rest, len(each))) for each in lists]


def _leaf(kinds: frozenset[type], convert: Convert, *, nullable: bool) -> Complete:
    """Completes leaves whose Python types are among the kinds."""

    def complete(_: Any, values: Values) -> Values:
        found = set(map(type, values))
        if found <= kinds:
            return convert(values)
        if nullable and found <= {*kinds, NoneType}:
            return _with_gaps(convert([value for value in values if value is not None]), values)
        unexpected()

    return complete


def _enum(enum: GraphQLEnumType, *, nullable: bool) -> Complete:
    """Completes an enum's members, and the values that graphql-core takes for them."""
    members = getattr(enum, "wrapped_cls", ())
    names: dict[Any, str | None] = {value.value: name for name, value in enum.values.items()}
    names |= {member: enum.coerce_output_value(member) for member in members}
    names.pop(None, None)
    if nullable:
        names[None] = None
    return lambda _, values: [names[value] for value in values]


def _nullable(complete: Complete, nullable: bool) -> Complete:
    """Completes values some of which may be null, or of which none may."""

    def complete_some(context: Any, values: Values) -> Any:
        if NoneType not in set(map(type, values)):
            return complete(context, values)
        if not nullable:
            unexpected()
        completed = complete(context, [value for value in values if value is not None])
        return _then(completed, lambda found: _with_gaps(found, values))

    return complete_some


def _with_gaps(completed: Values, values: Values) -> list[Any]:
    rest = iter(completed)
    return [None if value is None else next(rest) for value in values]


def _then(value: Any, use: Callable[[Any], Any]) -> Any:
    """`use` of the value, at once or when it is there."""
    if not iscoroutine(value):
        return use(value)

    async def later() -> Any:
        return use(await value)

    return later()


def _source_of(field: GraphQLField) -> Source | None:
    """Where a field's value comes from, or None if only its resolver knows."""
    definition = (field.extensions or {}).get(GraphQLCoreConverter.DEFINITION_BACKREF)
    # Another kind of field may resolve in another way.
    if type(definition) is not StrawberryField or definition.extensions or definition.permission_classes:
        return None
    reading = rows.reading_of(definition.metadata)
    if isinstance(reading, rows.Column | rows.Loaded):
        return reading
    resolver = definition.base_resolver
    if field.args or definition.is_async:
        return None
    if resolver is None:
        if definition.default_resolver is rows.read:
            return rows.Column(definition.python_name)
        return Attribute(definition.python_name) if definition.default_resolver is getattr else None
    if resolver.info_parameter or resolver.root_parameter:
        return None
    function: Any = resolver.wrapped_func
    return Method(function) if resolver.self_parameter or resolver.parent_parameter else None


def _are_rows(values: Values) -> bool:
    """Whether the values are rows or objects; raises for a mixture and for what is neither."""
    kinds = set(map(type, values))
    if kinds <= rows.ROWS:
        return True
    if not kinds.isdisjoint(rows.ROWS) or not all(map(_is_object, kinds)):
        unexpected()
    return False


@functools.cache
def _is_object(kind: type) -> bool:
    return not issubclass(kind, Exception) and not hasattr(kind, "__await__") and kind is not type(Undefined)


def _as_they_are(values: Values) -> Values:
    return values


def _ints(values: Values) -> Values:
    return values if min(values, default=0) >= -(2**31) and max(values, default=0) < 2**31 else unexpected()


def _floats(values: Values) -> Values:
    return values if all(map(math.isfinite, values)) else unexpected()


def _texts(values: Values) -> Values:
    return values if _STR.issuperset(map(type, values)) else [*map(str, values)]


_BUILT_IN: dict[GraphQLScalarType, tuple[frozenset[type], Convert]] = {
    GraphQLBoolean: (frozenset({bool}), _as_they_are),
    GraphQLFloat: (frozenset({float}), _floats),
    GraphQLID: (_UUIDS | {str}, _texts),
    GraphQLInt: (frozenset({int}), _ints),
    GraphQLString: (_STR, _as_they_are),
}
"""The kinds of a built-in scalar's values, and how they are converted."""
