"""Every field of a schema that takes an id, a number, a name or a key, derived from the schema itself.

A leaf is a place for a text or a number: an argument, or a field of an input. `names` gives the kind of object
that a leaf names, by the leaf's coordinate, such as `Selection.ids`. An unknown leaf stops the walk.
"""

from collections.abc import Callable, Iterator, Mapping
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
"""The rows requested of each list nested in a response."""
NAMING = ("ID", "String", "Int", "Float", "JSON")
"""The scalars that may name an object; amounts, dates, flags and enums never do."""


class Leaf(NamedTuple):
    """A leaf: its coordinate, and its path from the field's own arguments."""

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
"""Returns the value for a coordinate that is not under test: an object of the calling account."""


def places(schema: GraphQLSchema) -> Iterator[Place]:
    """Return every field with arguments, by the shortest path to its type."""
    roots = {
        "query": schema.query_type,
        "mutation": schema.mutation_type,
        "subscription": schema.subscription_type,
    }
    seen: set[str] = set()
    level: list[tuple[str, GraphQLObjectType, tuple[Step, ...]]] = [
        (operation, root, ()) for operation, root in roots.items() if root
    ]
    while level:
        following = []
        for operation, owner, way in level:
            if owner.name in seen:
                continue
            seen.add(owner.name)
            for name, field in owner.fields.items():
                for answer in _objects(schema, field.type) or [None]:
                    step = Step(name, field, answer.name if answer else "")
                    if answer and operation != "subscription":
                        following.append((operation, answer, (*way, step)))
                if field.args:
                    yield Place(
                        operation, (*way, Step(name, field, "")), tuple(_leaves(owner.name, name, field))
                    )
        level = following


def _objects(schema: GraphQLSchema, answered: GraphQLOutputType) -> list[GraphQLObjectType]:
    named = get_named_type(answered)
    if isinstance(named, GraphQLObjectType):
        return [named]
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        return list(schema.get_possible_types(named))
    return []


def _leaves(owner: str, name: str, field: GraphQLField) -> Iterator[Leaf]:
    for argument, about in field.args.items():
        yield from _within(f"{owner}.{name}.{argument}", (argument,), about.type, ())


def _within(
    coordinate: str, path: tuple[str, ...], given: GraphQLInputType, above: tuple[str, ...]
) -> Iterator[Leaf]:
    named = get_named_type(given)
    if isinstance(named, GraphQLInputObjectType):
        assert named.name not in above, f"{named.name} holds itself: the walk would not end"
        for name, field in named.fields.items():
            yield from _within(f"{named.name}.{name}", (*path, name), field.type, (*above, named.name))
    elif named.name in NAMING:
        bare = given.of_type if isinstance(given, GraphQLNonNull) else given
        yield Leaf(coordinate, path, isinstance(bare, GraphQLList))


def request(
    schema: GraphQLSchema, place: Place, tried: Mapping[Leaf, Any], own: Value
) -> tuple[str, dict[str, Any]]:
    """Return a document that requests the field with all visible result fields, and its variables.

    The tried values are sent at their leaves. Other leaves have a value only where one is required.
    """
    chosen = {leaf.path: value for leaf, value in tried.items()}
    types: list[str] = []
    values: dict[str, Any] = {}
    inner = ""
    for number, step in reversed(list(enumerate(place.way))):
        is_last = number == len(place.way) - 1
        owner = place.way[number - 1].of_type if number else place.operation.title()
        sent = []
        for name, argument in step.field.args.items():
            coordinate = f"{owner}.{step.name}.{name}"
            value = _value(coordinate, (name,), argument, chosen if is_last else {}, own)
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
    named = get_named_type(step.field.type)
    is_plain = isinstance(named, GraphQLObjectType)
    return f"{{ {inner} }}" if is_plain else f"{{ __typename ... on {step.of_type} {{ {inner} }} }}"


def selection(
    schema: GraphQLSchema,
    answered: GraphQLOutputType,
    depth: int = SELECTION_DEPTH,
    above: tuple[str, ...] = (),
) -> str:
    """Select all fields of a type without required arguments, recursively up to a depth."""
    named = get_named_type(answered)
    if isinstance(named, GraphQLUnionType | GraphQLInterfaceType):
        members = schema.get_possible_types(named)
        # Fields with the same name may have another type in another union member, so each gets an alias.
        parts = [
            f"... on {member.name} {_aliased(selection(schema, member, depth, above), number)}"
            for number, member in enumerate(members)
        ]
        return f"{{ __typename {' '.join(parts)} }}"
    if not isinstance(named, GraphQLObjectType):
        return ""
    fields = [
        f"{name}{f'(first:{SLICE_ROWS})' if 'first' in field.args else ''} {below}".strip()
        for name, field in named.fields.items()
        if not any(map(is_required_argument, field.args.values()))
        and (below := _below(schema, field, depth, (*above, named.name))) is not None
    ]
    return f"{{ {' '.join(fields or ['__typename'])} }}"


def _below(schema: GraphQLSchema, field: GraphQLField, depth: int, above: tuple[str, ...]) -> str | None:
    named = get_named_type(field.type)
    if not isinstance(named, GraphQLObjectType | GraphQLUnionType | GraphQLInterfaceType):
        return ""
    return None if depth == 0 or named.name in above else selection(schema, field.type, depth - 1, above)


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
    coordinate: str, path: tuple[str, ...], about: Any, chosen: Mapping[tuple[str, ...], Any], own: Value
) -> Any:
    """Return the value for an argument or an input field; Undefined omits it."""
    if path in chosen:
        return chosen[path]
    is_on_the_way = any(leaf[: len(path)] == path for leaf in chosen)
    is_argument = isinstance(about, GraphQLArgument)
    is_required = is_required_argument(about) if is_argument else is_required_input_field(about)
    if is_argument and path == ("first",) and isinstance(about.type, GraphQLNonNull):
        return SLICE_ROWS  # the default times the lists below it would exceed the cost limit
    if not is_required and not is_on_the_way:
        return Undefined
    return _fill(coordinate, path, about.type, chosen, own)


def _fill(
    coordinate: str,
    path: tuple[str, ...],
    given: GraphQLInputType,
    chosen: Mapping[tuple[str, ...], Any],
    own: Value,
) -> Any:
    if isinstance(given, GraphQLNonNull):
        given = given.of_type
    if isinstance(given, GraphQLList):
        return [_fill(coordinate, path, given.of_type, chosen, own)]
    if isinstance(given, GraphQLEnumType):
        return next(iter(given.values))
    if not isinstance(given, GraphQLInputObjectType):
        return own(coordinate)
    fields = given.fields
    if given.is_one_of:
        on_the_way = [
            name for name in fields if any(leaf[: len(path) + 1] == (*path, name) for leaf in chosen)
        ]
        name = (on_the_way or list(fields))[0]
        below = (*path, name)
        value = chosen.get(below, Undefined)
        if value is Undefined:
            value = _fill(f"{given.name}.{name}", below, fields[name].type, chosen, own)
        return {name: value}
    values = {
        name: _value(f"{given.name}.{name}", (*path, name), field, chosen, own)
        for name, field in fields.items()
    }
    return {name: value for name, value in values.items() if value is not Undefined}
