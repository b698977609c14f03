"""From the selection of an object type to a function that completes a whole list of its values.

The function reads what is plain: columns and attributes, methods of the value alone, and what a loader
finds by a key; it writes the response's dictionaries in one comprehension. It never says what an error
looks like: on anything it does not expect it raises, and its caller has graphql-core complete the same
values again. That is allowed because "the resolution of fields other than top-level mutation fields must
always be side effect-free and idempotent" (GraphQL specification, 6.2.2).
"""

import datetime as dt
import decimal
import operator
import uuid
from asyncio import gather
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutine
from itertools import islice
from types import NoneType
from typing import Any, NamedTuple, NoReturn

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
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema import rows

Complete = Callable[[Any, Sequence[Any]], Any]
"""Takes a request's context and some values; answers the completed ones in the same order, or a coroutine."""

Read = Callable[[Any], Any]

_INERT = frozenset({bool, dict, float, int, list, str, dt.date, dt.datetime, decimal.Decimal, uuid.UUID})
"""Types whose values are neither awaitables, errors nor nothing, so that a scalar's own coercion says all there is."""

_BUILT_IN = {
    GraphQLBoolean: "({v} if type({v}) is bool else unexpected())",
    GraphQLFloat: "({v} if type({v}) is float and {v} - {v} == 0.0 else unexpected())",
    GraphQLID: "({v} if type({v}) is str else str({v}) if isinstance({v}, UUID) else unexpected())",
    GraphQLInt: "({v} if type({v}) is int and -2147483648 <= {v} <= 2147483647 else unexpected())",
    GraphQLString: "({v} if type({v}) is str else unexpected())",
}

LISTS = frozenset({list, tuple})


class Unexpected(Exception):
    """The compiled code met what graphql-core must look at."""


def unexpected() -> NoReturn:
    raise Unexpected


_NAMES = {
    "unexpected": unexpected,
    "INERT": _INERT,
    "LISTS": LISTS,
    "UTC": dt.UTC,
    "UUID": uuid.UUID,
    "datetime": dt.datetime,
}
"""What generated code knows by name."""


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
    waits: bool


class Compiler:
    """Compiles the selections of one document.

    `collect` answers the selection of a type under field nodes. `written` names the scalars whose values
    stay as they are, for whoever encodes the answer writes them as the scalar would: each with the
    expression that says so of a value {v}.
    """

    def __init__(
        self,
        collect: Callable[[GraphQLObjectType, FieldDetailsList], GroupedFieldSet],
        get_field: Callable[[GraphQLObjectType, str], GraphQLField | None],
        written: Mapping[str, str],
    ) -> None:
        self._collect = collect
        self._get_field = get_field
        self._written = written

    def selection(self, object_type: GraphQLObjectType, fields: GroupedFieldSet) -> "Selection | None":
        """What completes these fields, or None if one of them is not plain."""
        selection = Selection()
        for key, details in fields.items():
            if not self._add(selection, object_type, key, details):
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

    def _add(
        self, selection: "Selection", parent: GraphQLObjectType, key: str, details: FieldDetailsList
    ) -> bool:
        name = details[0].node.name.value
        field = self._get_field(parent, name)
        if name == "__typename":
            selection.add_constant(key, parent.name)
        elif field is not None:  # graphql-core leaves an unknown field out
            source = _source_of(field)
            if source is None:
                return False
            if not isinstance(source, rows.Loaded) and (leaf := self._leaf(field.type, selection)):
                selection.add_leaf(key, source, leaf)
            elif completion := self.completion(field.type, details):
                selection.add_column(key, source, completion)
            else:
                return False
        return True

    def completion(self, return_type: GraphQLOutputType, details: FieldDetailsList) -> Completion | None:
        """How values of a type of objects, or of lists of them, are completed."""
        nullable = return_type
        if isinstance(return_type, GraphQLNonNull):
            nullable = return_type.of_type
        found: Completion | None = None
        if isinstance(nullable, GraphQLObjectType) and nullable.is_type_of is None:
            if selection := self.selection(nullable, self._collect(nullable, details)):
                found = Completion(selection.complete, selection.waits)
        elif isinstance(nullable, GraphQLList) and (items := self.completion(nullable.of_type, details)):
            found = Completion(_of_lists(items.complete), items.waits)
        if found is None or nullable is not return_type:
            return found and Completion(_never_null(found.complete), found.waits)
        return Completion(_with_nulls(found.complete), found.waits)

    def _leaf(self, return_type: GraphQLOutputType, selection: "Selection", depth: int = 0) -> str | None:
        """An expression of a leaf, or of a list of leaves, in which {v} stands for the value as it was read."""
        value = f"v{depth}"
        nullable = return_type.of_type if isinstance(return_type, GraphQLNonNull) else return_type
        if isinstance(nullable, GraphQLList):
            item = self._leaf(nullable.of_type, selection, depth + 1)
            if item is None:
                return None
            each = item.replace("{v}", f"i{depth}")
            inner = f"([{each} for i{depth} in {value}] if type({value}) in LISTS else unexpected())"
        elif isinstance(nullable, GraphQLEnumType):
            inner = f"{selection.name(_enum_names(nullable))}[{value}]"
        elif isinstance(nullable, GraphQLScalarType):
            inner = self._scalar(nullable, selection, value)
        else:
            return None
        null = "None" if nullable is return_type else "unexpected()"
        return f"({null} if ({value} := {{v}}) is None else {inner})"

    def _scalar(self, scalar: GraphQLScalarType, selection: "Selection", value: str) -> str:
        if scalar in _BUILT_IN:
            return _BUILT_IN[scalar].format(v=value)
        coerced = f"(x := {selection.name(scalar.coerce_output_value)}({value}))"
        checked = f"(x if type({value}) in INERT and type({coerced}) in INERT else unexpected())"
        written = self._written.get(scalar.name)
        return f"({value} if {written.format(v=value)} else {checked})" if written else checked


class Selection:
    """The plain fields selected of one object type, as code that completes a list of its values.

    Leaves are expressions in the comprehension; a field that holds objects is a column, completed for all
    the values before it.
    """

    def __init__(self) -> None:
        self.waits = False
        self.reads = False
        """Whether anything is read of a value; if not, there is nothing to tell a good one by."""
        self._entries: dict[bool, list[str]] = {True: [], False: []}
        """The text of each entry of an answer, for rows (True) and for objects."""
        self._columns: list[tuple[Source, Completion]] = []
        self._names: dict[str, Any] = dict(_NAMES)
        self._builds: dict[bool, Callable[..., list[Any]]] = {}
        self._kinds: dict[type, bool | None] = {}

    def name(self, value: object) -> str:
        """The name by which the generated code knows a value."""
        name = f"n{len(self._names)}"
        self._names[name] = value
        return name

    def add_constant(self, key: str, text: str) -> None:
        self._write(key, repr(text))

    def add_leaf(self, key: str, source: Source, expression: str) -> None:
        self.reads = True
        self._write(key, expression, source)

    def add_column(self, key: str, source: Source, completion: Completion) -> None:
        self.reads = True
        self.waits = self.waits or completion.waits or isinstance(source, rows.Loaded)
        self._write(key, f"c{len(self._columns)}")
        self._columns.append((source, completion))

    def _write(self, key: str, expression: str, source: Source | None = None) -> None:
        # Here, and not when it is first compiled, for threads may do that at once and names must not be mixed up.
        for by_item, entries in self._entries.items():
            value = expression.replace("{v}", self._read(source, by_item)) if source else expression
            entries.append(f"{key!r}: {value}")

    def complete(self, context: Any, values: Sequence[Any]) -> Any:
        """Completes values none of which is null; raises anything for what graphql-core must complete."""
        by_item = self._are_rows(values)
        build = self._builds.get(by_item)
        if build is None:
            build = self._builds[by_item] = self._compile(by_item)
        columns: list[Any] = []
        try:
            for source, completion in self._columns:
                columns.append(_complete_column(context, values, source, completion, by_item))
        except Exception:
            for column in filter(iscoroutine, columns):
                column.close()
            raise
        if any(map(iscoroutine, columns)):
            return _build_later(build, values, columns)
        return build(values, *columns)

    def _are_rows(self, values: Sequence[Any]) -> bool:
        """Whether the values are rows or objects; raises for a mixture and for what is neither."""
        found = {self._kinds.get(kind) for kind in set(map(type, values))}
        if None in found:
            for kind in set(map(type, values)) - self._kinds.keys():
                if issubclass(kind, Exception) or hasattr(kind, "__await__") or kind is type(Undefined):
                    unexpected()
                self._kinds[kind] = kind in rows.ROWS
            found = {self._kinds[kind] for kind in set(map(type, values))}
        if len(found) > 1:
            unexpected()
        return found == {True}

    def _compile(self, by_item: bool) -> Callable[..., list[Any]]:
        columns = [f"c{index}" for index in range(len(self._columns))]
        given = ", ".join(["values", *columns])
        each = f"{', '.join(['o', *columns])} in zip({given}, strict=True)" if columns else "o in values"
        text = f"lambda {given}: [{{{', '.join(self._entries[by_item])}}} for {each}]"
        # The text holds names of the schema and the reprs of response keys, and nothing else of a client's.
        built: Callable[..., list[Any]] = eval(text, self._names)  # noqa: S307
        return built

    def _read(self, source: Source, by_item: bool) -> str:
        match source:
            case rows.Column(name) if by_item:
                return f"o[{name!r}]"
            case rows.Column(name) | Attribute(name):
                return f"o.{name}"
            case Method(function):
                return f"{self.name(function)}(o)"
        raise AssertionError(source)


def _reader(source: Source, by_item: bool) -> Read:
    match source:
        case rows.Column(name) | rows.Loaded(column=name) if by_item:
            return operator.itemgetter(name)
        case rows.Column(name) | rows.Loaded(column=name) | Attribute(name):
            return operator.attrgetter(name)
        case Method(function):
            return function
    raise AssertionError(source)


async def _build_later(
    build: Callable[..., list[Any]], values: Sequence[Any], columns: list[Any]
) -> list[Any]:
    waiting = [index for index, column in enumerate(columns) if iscoroutine(column)]
    for index, column in zip(waiting, await gather(*(columns[index] for index in waiting)), strict=True):
        columns[index] = column
    return build(values, *columns)


def _complete_column(
    context: Any, values: Sequence[Any], source: Source, completion: Completion, by_item: bool
) -> Any:
    read = list(map(_reader(source, by_item), values))
    if not isinstance(source, rows.Loaded):
        return completion.complete(context, read)
    if values and source.is_in(values[0]):
        by_key = dict(zip(read, values, strict=True))
        found = {key: None if key is None else source.part_of(row) for key, row in by_key.items()}
        return _spread(context, found, read, completion)
    return _load(context, read, source, completion)


async def _load(context: Any, keys: list[Any], source: rows.Loaded, completion: Completion) -> list[Any]:
    """Loads what the keys stand for, each once."""
    if source.many:
        return await _load_lists(context, keys, source, completion)
    known = [key for key in dict.fromkeys(keys) if key is not None]
    found = dict(zip(known, await source.of(context).load_many(known), strict=True))
    if len(known) < len(keys) and None in keys:
        found[None] = None
    completed = _spread(context, found, keys, completion)
    return list(await completed if iscoroutine(completed) else completed)


def _spread(context: Any, found: dict[Any, Any], keys: list[Any], completion: Completion) -> Any:
    """Completes each value once and answers one for each of the keys."""

    def by_key(completed: list[Any]) -> list[Any]:
        answers = dict(zip(found, completed, strict=True))
        return [answers[key] for key in keys]

    return _then(completion.complete(context, list(found.values())), by_key)


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

    def complete_lists(context: Any, values: Sequence[Any]) -> Any:
        if any(type(value) not in LISTS for value in values):
            unexpected()
        completed = complete(context, [item for value in values for item in value])
        return _then(completed, lambda items: _parted(items, values))

    return complete_lists


def _parted(items: list[Any], lists: Sequence[Sequence[Any]]) -> list[list[Any]]:
    rest = iter(items)
    return [list(islice(rest, len(each))) for each in lists]


def _with_nulls(complete: Complete) -> Complete:
    """Completes values some of which may be null."""

    def complete_nullable(context: Any, values: Sequence[Any]) -> Any:
        if NoneType not in set(map(type, values)):
            return complete(context, values)
        completed = complete(context, [value for value in values if value is not None])
        return _then(completed, lambda found: _with_gaps(found, values))

    return complete_nullable


def _with_gaps(completed: list[Any], values: Sequence[Any]) -> list[Any]:
    rest = iter(completed)
    return [None if value is None else next(rest) for value in values]


def _never_null(complete: Complete) -> Complete:
    """Completes values none of which may be null."""

    def complete_all(context: Any, values: Sequence[Any]) -> Any:
        if NoneType in set(map(type, values)):
            unexpected()
        return complete(context, values)

    return complete_all


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


def _enum_names(enum: GraphQLEnumType) -> dict[Any, str]:
    """The names of an enum by its members, and by the values that graphql-core takes for them."""
    members = getattr(enum, "wrapped_cls", ())
    names = {value.value: name for name, value in enum.values.items()}
    return names | {member: enum.coerce_output_value(member) for member in members}
