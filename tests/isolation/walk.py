"""Every field of a schema with an argument for an id, a number, a name or a key, derived from the schema itself.

A leaf is a place for a text or a number: an argument, or a field of an input. `names` gives the kind of object
that a leaf names, by the leaf's coordinate, such as `Selection.ids`. An unknown leaf stops the walk.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

SELECTION_DEPTH = 4
SLICE_ROWS = 3
"""The number of rows that are requested of each nested list."""
NAMING = ("ID", "String", "Int", "Float", "JSON")
"""The scalars that can name an object. Amounts, dates, flags and enums never do."""


class Leaf(NamedTuple):
    """A leaf: its coordinate, and its path within the field's arguments."""

    coordinate: str
    path: tuple[str, ...]
    is_list: bool


class Step(NamedTuple):
    """A field on the path from the root, and the type of its result."""

    name: str
    field: GraphQLField
    of_type: str


@dataclass(frozen=True)
class Place:
    """A field with arguments, and the path to it."""

    operation: str
    way: tuple[Step, ...]
    leaves: tuple[Leaf, ...]

    @property
    def coordinate(self) -> str:
        return f"{self.way[-2].of_type if len(self.way) > 1 else self.operation.title()}.{self.way[-1].name}"


Value = Callable[[str], Any]
"""A function that returns the value for a coordinate that is not under test: an object of the calling account."""


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """Return every field with arguments, by the shortest path to its type."""
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    type_names: set[str] = set()
    level: list[tuple[str, GraphQLObjectType, tuple[Step, ...]]] = [
        (operation, root, ()) for operation, root in roots.items() if root
    ]
    while level:
        following = []
        for operation, owner, path in level:
            if owner.name in type_names:
                continue
            type_names.add(owner.name)
            for name, field in owner.fields.items():
                result_types: Sequence[GraphQLObjectType | None] = _objects(schema, field.type) or [None]
                for result_type in result_types:
                    step = Step(name, field, result_type.name if result_type else "")
                    if result_type and operation != "subscription":
                        following.append((operation, result_type, (*path, step)))
                if field.args:
                    yield Place(
                        operation, (*path, Step(name, field, "")), tuple(_leaves(owner.name, name, field))
                    )
        level = following


def _objects(schema: GraphQLSchema, output_type: GraphQLOutputType) -> list[GraphQLObjectType]:
    named_type = get_named_type(output_type)
    if isinstance(named_type, GraphQLObjectType):
        return [named_type]
    if isinstance(named_type, GraphQLUnionType | GraphQLInterfaceType):
        return list(schema.get_possible_types(named_type))
    return []


def _leaves(owner: str, name: str, field: GraphQLField) -> Iterator[Leaf]:
    for argument, definition in field.args.items():
        yield from _within(f"{owner}.{name}.{argument}", (argument,), definition.type, ())


def _within(
    coordinate: str, path: tuple[str, ...], input_type: GraphQLInputType, above: tuple[str, ...]
) -> Iterator[Leaf]:
    named_type = get_named_type(input_type)
    if isinstance(named_type, GraphQLInputObjectType):
        assert named_type.name not in above, f"{named_type.name} holds itself: the walk would not end"
        for name, field in named_type.fields.items():
            yield from _within(
                f"{named_type.name}.{name}", (*path, name), field.type, (*above, named_type.name)
            )
    elif named_type.name in NAMING:
        bare = input_type.of_type if isinstance(input_type, GraphQLNonNull) else input_type
        yield Leaf(coordinate, path, isinstance(bare, GraphQLList))


def request(
    schema: GraphQLSchema, place: Place, tried: Mapping[Leaf, Any], value_of: Value
) -> tuple[str, dict[str, Any]]:
    """Return a document that requests a field with all fields of its result, and the variables of the document.

    The tried values are sent at their leaves. Other leaves have a value only if one is required.
    """
    tried_values = {leaf.path: value for leaf, value in tried.items()}
    types: list[str] = []
    values: dict[str, Any] = {}
    inner = ""
    for number, step in reversed(list(enumerate(place.way))):
        is_last = number == len(place.way) - 1
        owner = place.way[number - 1].of_type if number else place.operation.title()
        sent = []
        for name, argument in step.field.args.items():
            coordinate = f"{owner}.{step.name}.{name}"
            value = _value(coordinate, (name,), argument, tried_values if is_last else {}, value_of)
            if value is not Undefined:
                variable = f"{name}{number}"
                sent.append(f"{name}: ${variable}")
                types.append(f"${variable}: {argument.type}")
                values[variable] = value
        below = selection(schema, step.field.type) if is_last else _looked_at(step, inner)
        inner = f"{step.name}{_in_brackets(sent)} {below}"
    return f"{place.operation}{_in_brackets(types)} {{ {inner} }}", values


def _in_brackets(words: list[str]) -> str:
    return f"({', '.join(words)})" if words else ""


def _looked_at(step: Step, inner: str) -> str:
    named_type = get_named_type(step.field.type)
    is_plain = isinstance(named_type, GraphQLObjectType)
    return f"{{ {inner} }}" if is_plain else f"{{ __typename ... on {step.of_type} {{ {inner} }} }}"


def selection(
    schema: GraphQLSchema,
    output_type: GraphQLOutputType,
    depth: int = SELECTION_DEPTH,
    above: tuple[str, ...] = (),
) -> str:
    """Select all fields of a type without required arguments, recursively up to a depth."""
    named_type = get_named_type(output_type)
    if isinstance(named_type, GraphQLUnionType | GraphQLInterfaceType):
        members = schema.get_possible_types(named_type)
        # Fields with the same name can have different types in the members of a union, so each gets an alias.
        parts = [
            f"... on {member.name} {_aliased(selection(schema, member, depth, above), number)}"
            for number, member in enumerate(members)
        ]
        return f"{{ __typename {' '.join(parts)} }}"
    if not isinstance(named_type, GraphQLObjectType):
        return ""
    fields = [
        f"{name}{f'(first:{SLICE_ROWS})' if 'first' in field.args else ''} {below}".strip()
        for name, field in named_type.fields.items()
        if not any(map(is_required_argument, field.args.values()))
        and (below := _below(schema, field, depth, (*above, named_type.name))) is not None
    ]
    return f"{{ {' '.join(fields or ['__typename'])} }}"


def _below(schema: GraphQLSchema, field: GraphQLField, depth: int, above: tuple[str, ...]) -> str | None:
    named_type = get_named_type(field.type)
    if not isinstance(named_type, GraphQLObjectType | GraphQLUnionType | GraphQLInterfaceType):
        return ""
    return None if depth == 0 or named_type.name in above else selection(schema, field.type, depth - 1, above)


def _aliased(selected: str, number: int) -> str:
    """Alias the top fields of a selection."""
    depth, words = 0, []
    for word in selected.split():
        depth -= word == "}"
        is_top = depth == 1 and word not in ("{", "}")
        words.append(f"m{number}_{word.partition('(')[0]}: {word}" if is_top else word)
        depth += word == "{"
    return " ".join(words)


def _value(
    coordinate: str,
    path: tuple[str, ...],
    definition: Any,
    tried_values: Mapping[tuple[str, ...], Any],
    value_of: Value,
) -> Any:
    """Return the value for an argument or an input field, or Undefined to omit it."""
    if path in tried_values:
        return tried_values[path]
    is_on_the_way = any(leaf[: len(path)] == path for leaf in tried_values)
    is_argument = isinstance(definition, GraphQLArgument)
    is_required = is_required_argument(definition) if is_argument else is_required_input_field(definition)
    if is_argument and path == ("first",) and isinstance(definition.type, GraphQLNonNull):
        return SLICE_ROWS  # with the default, nested lists would exceed the cost limit
    if not is_required and not is_on_the_way:
        return Undefined
    return _fill(coordinate, path, definition.type, tried_values, value_of)


def _fill(
    coordinate: str,
    path: tuple[str, ...],
    input_type: GraphQLInputType,
    tried_values: Mapping[tuple[str, ...], Any],
    value_of: Value,
) -> Any:
    if isinstance(input_type, GraphQLNonNull):
        input_type = input_type.of_type
    if isinstance(input_type, GraphQLList):
        return [_fill(coordinate, path, input_type.of_type, tried_values, value_of)]
    if isinstance(input_type, GraphQLEnumType):
        return next(iter(input_type.values))
    if not isinstance(input_type, GraphQLInputObjectType):
        return value_of(coordinate)
    fields = input_type.fields
    if input_type.is_one_of:
        on_the_way = [
            name for name in fields if any(leaf[: len(path) + 1] == (*path, name) for leaf in tried_values)
        ]
        name = (on_the_way or list(fields))[0]
        below = (*path, name)
        value = tried_values.get(below, Undefined)
        if value is Undefined:
            value = _fill(f"{input_type.name}.{name}", below, fields[name].type, tried_values, value_of)
        return {name: value}
    values = {
        name: _value(f"{input_type.name}.{name}", (*path, name), field, tried_values, value_of)
        for name, field in fields.items()
    }
    return {name: value for name, value in values.items() if value is not Undefined}
