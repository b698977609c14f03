"""Random valid documents for any schema, with aliases, fragments, directives, arguments and variables."""

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
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
    is_abstract_type,
    is_composite_type,
    is_leaf_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

_ALIASES = """
    o values c0 c1 v0 v1 i0 x n7 n8 unexpected INERT LISTS UTC UUID datetime class lambda None True for in if not is
    zip type str isinstance self context __x __class__ _ A z9 key
"""
ALIASES = [name for line in _ALIASES.splitlines() for name in line.split()]
"""Valid names that have another meaning in Python or in the generated code."""

BOOLEANS = {"t": "Boolean!", "u": "Boolean! = true", "w": "Boolean = false"}
"""The variables of @skip and @include, with their types. The last can be null, which causes an error."""

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
Make = Callable[[random.Random, str, str], Any]
"""A function that returns a value for an argument or an input field, by its name and its type's; Undefined omits it."""


@dataclass(frozen=True)
class Document:
    """A document, with functions that return values of its variables."""

    text: str
    names: frozenset[str]
    """The names of the fields that the document selects."""
    _variables: Mapping[str, Callable[[random.Random], Any]]

    def variables(self, rng: random.Random) -> dict[str, Any]:
        """Return new values of the variables."""
        made = {name: make(rng) for name, make in self._variables.items()}
        return {name: value for name, value in made.items() if value is not Undefined}


def boolean(name: str, rng: random.Random) -> Any:
    """Return a value of a variable of @skip and @include, or Undefined to omit it."""
    odd: list[Any] = {"t": list[Any](), "u": [Undefined], "w": [Undefined, None]}[name]
    return rng.choice([True, False, True, False, *odd])


class Writer:
    """A writer of one random document."""

    def __init__(self, schema: GraphQLSchema, rng: random.Random, make: Make, *, depth: int = 3) -> None:
        self._schema = schema
        self._rng = rng
        self._make = make
        self._depth = depth
        self._signatures: dict[str, str] = {}
        self._fragments: list[tuple[str, Composite, str]] = []
        self._types: dict[str, str] = {}
        self._values: dict[str, Callable[[random.Random], Any]] = {}
        self._names: set[str] = set()

    def write(self) -> Document:
        query = self._schema.query_type
        assert query is not None
        body = self._selection(query, self._depth)
        variables = ", ".join(f"${name}: {type_}" for name, type_ in self._types.items())
        fragments = " ".join(f"fragment {name} on {on} {text}" for name, on, text in self._fragments)
        text = f"query Q{f'({variables})' if variables else ''} {body} {fragments}"
        return Document(text, frozenset(self._names), self._values)

    def _selection(self, parent: Composite, depth: int) -> str:
        return f"{{ {' '.join(self._one(parent, depth) for _ in range(self._rng.randint(1, 4)))} }}"

    def _one(self, parent: Composite, depth: int) -> str:
        chance = self._rng.random()
        if depth and chance < 0.1:
            on = self._rng.choice([None, *self._conditions(parent)])
            inside = self._selection(on or parent, depth - 1)
            return f"...{f' on {on}' if on else ''}{self._directives()} {inside}"
        if depth and chance < 0.2:
            return f"...{self._fragment(parent, depth)}{self._directives()}"
        fields = {} if isinstance(parent, GraphQLUnionType) else parent.fields
        fit = [name for name, field in fields.items() if depth or is_leaf_type(get_named_type(field.type))]
        if not fit or chance > 0.95:
            return f"{self._key('__typename', '')}__typename{self._directives()}"
        name = self._rng.choice(fit)
        return self._field(name, fields[name], depth)

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        self._names.add(name)
        arguments = self._arguments(field)
        key = self._key(name, f"{arguments}: {field.type}")
        below = get_named_type(field.type)
        inside = ""
        if is_composite_type(below):
            assert isinstance(below, Composite)
            inside = f" {self._selection(below, depth - 1)}"
        return f"{key}{name}{arguments}{self._directives()}{inside}"

    def _key(self, name: str, rest: str) -> str:
        """Return an alias, or an empty text for none. A repeated key always belongs to the same field."""
        tried = [name] if self._rng.random() < 0.6 else []
        for key in (*tried, *self._rng.sample(ALIASES, 3), f"k{len(self._signatures)}"):
            if self._signatures.setdefault(key, name + rest) == name + rest:
                return "" if key == name else f"{key}: "
        raise AssertionError("the last is new")

    def _conditions(self, parent: Composite) -> list[Composite]:
        """Return the types that a fragment within `parent` can have: those that share a possible object type."""
        found: list[Composite] = []
        for type_ in self._schema.type_map.values():
            if is_composite_type(type_) and not type_.name.startswith("__"):
                assert isinstance(type_, Composite)
                if self._possible(type_) & self._possible(parent):
                    found.append(type_)
        return found

    def _possible(self, type_: Composite) -> set[str]:
        if is_abstract_type(type_):
            return {each.name for each in self._schema.get_possible_types(type_)}
        return {type_.name}

    def _fragment(self, parent: Composite, depth: int) -> str:
        fit = [name for name, on, _ in self._fragments if self._possible(on) & self._possible(parent)]
        if fit and self._rng.random() < 0.5:
            return self._rng.choice(fit)
        on = self._rng.choice(self._conditions(parent))
        text = self._selection(on, depth - 1)
        name = f"F{len(self._fragments)}"  # named after its selection is written, so that fragments form no cycle
        self._fragments.append((name, on, text))
        return name

    def _directives(self) -> str:
        names = self._rng.choice([(), (), (), (), ("skip",), ("include",), ("include", "skip")])
        return "".join(f" @{name}(if: {self._condition()})" for name in names)

    def _condition(self) -> str:
        name = self._rng.choice([*BOOLEANS, "true", "false"])
        if name not in BOOLEANS:
            return name
        self._types[name] = BOOLEANS[name]
        self._values[name] = lambda rng: boolean(name, rng)
        return f"${name}"

    def _arguments(self, field: GraphQLField) -> str:
        given = [self._argument(name, argument) for name, argument in field.args.items()]
        text = ", ".join(each for each in given if each)
        return f"({text})" if text else ""

    def _argument(self, name: str, argument: GraphQLArgument) -> str:
        type_ = argument.type
        if self._rng.random() < 0.5:
            variable = f"a{len(self._types)}"
            self._types[variable] = str(type_)
            self._values[variable] = lambda rng: self._value(rng, name, type_)
            return f"{name}: ${variable}"
        value = self._value(self._rng, name, type_)
        return "" if value is Undefined else f"{name}: {_literal(value, type_)}"

    def _value(self, rng: random.Random, name: str, type_: GraphQLInputType) -> Any:
        if isinstance(type_, GraphQLNonNull):
            while (value := self._value(rng, name, type_.of_type)) is None or value is Undefined:
                pass
            return value
        if rng.random() < 0.2:
            return rng.choice([None, Undefined])
        if isinstance(type_, GraphQLList):
            items = [self._value(rng, name, type_.of_type) for _ in range(rng.randint(0, 3))]
            return [None if item is Undefined else item for item in items]
        if isinstance(type_, GraphQLInputObjectType):
            return self._object(rng, type_)
        if isinstance(type_, GraphQLEnumType):
            return rng.choice(list(type_.values))
        return self._make(rng, name, type_.name)

    def _object(self, rng: random.Random, type_: GraphQLInputObjectType) -> dict[str, Any]:
        def value(name: str, field: GraphQLInputField) -> Any:
            if rng.random() < 0.4 and not isinstance(field.type, GraphQLNonNull):
                return Undefined
            return self._value(rng, name, field.type)

        fields = type_.fields
        if type_.extensions[GraphQLCoreConverter.DEFINITION_BACKREF].is_one_of:
            name = rng.choice(list(fields))
            return {name: self._value(rng, name, GraphQLNonNull(fields[name].type))}
        made = {name: value(name, field) for name, field in fields.items()}
        return {name: each for name, each in made.items() if each is not Undefined}


def _literal(value: Any, type_: GraphQLInputType | GraphQLOutputType) -> str:
    if isinstance(type_, GraphQLNonNull):
        return _literal(value, type_.of_type)
    match value:
        case None:
            return "null"
        case list() if isinstance(type_, GraphQLList):
            return f"[{', '.join(_literal(item, type_.of_type) for item in value)}]"
        case dict() if isinstance(type_, GraphQLInputObjectType):
            fields = (f"{name}: {_literal(item, type_.fields[name].type)}" for name, item in value.items())
            return f"{{{', '.join(fields)}}}"
        case str() if isinstance(type_, GraphQLEnumType):
            return value
    return json.dumps(value)
