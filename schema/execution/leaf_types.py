"""Completion of scalars and enums: a column is checked and converted as a whole."""

import datetime as dt
import decimal
import math
import uuid
from collections.abc import Callable
from types import NoneType

import asyncpg.pgproto.pgproto
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLScalarType,
    GraphQLString,
)

from schema.execution.completion import Complete, FallbackError, Values, restore_nulls, unexpected

Convert = Callable[[Values], Values]
"""A function that converts leaf values of the expected Python types to values of the response."""


_STR = frozenset({str})
_UUIDS = frozenset({uuid.UUID, asyncpg.pgproto.pgproto.UUID})
INERT = frozenset({bool, dict, float, int, list, str, dt.date, dt.datetime, decimal.Decimal, *_UUIDS})
"""Types whose values are never awaitables, errors or null, so only a scalar's coercion can refuse them."""


def leaf(kinds: frozenset[type], convert: Convert, *, nullable: bool) -> Complete:
    """Return a completion of leaf values whose Python types are in `kinds`, and of nulls if `nullable`.

    The completion raises FallbackError for other values.
    """

    def complete(_: object, values: Values) -> Values:
        types = set(map(type, values))
        if types <= kinds:
            return convert(values)
        if nullable and types <= {*kinds, NoneType}:
            return restore_nulls(convert([value for value in values if value is not None]), values)
        raise FallbackError

    return complete


def enum(enum_type: GraphQLEnumType, *, nullable: bool) -> Complete:
    """Return a completion of an enum's members, and of the values that graphql-core accepts for them."""
    members = getattr(enum_type, "wrapped_cls", ())
    names: dict[object, str | None] = {value.value: name for name, value in enum_type.values.items()}
    names |= {member: enum_type.coerce_output_value(member) for member in members}
    names.pop(None, None)
    if nullable:
        names[None] = None
    return lambda _, values: [names[value] for value in values]


def _unchanged(values: Values) -> Values:
    return values


def _ints(values: Values) -> Values:
    return values if min(values, default=0) >= -(2**31) and max(values, default=0) < 2**31 else unexpected()


def _floats(values: Values) -> Values:
    return values if all(map(math.isfinite, values)) else unexpected()


def _texts(values: Values) -> Values:
    return values if _STR.issuperset(map(type, values)) else [*map(str, values)]


BUILT_IN: dict[GraphQLScalarType, tuple[frozenset[type], Convert]] = {
    GraphQLBoolean: (frozenset({bool}), _unchanged),
    GraphQLFloat: (frozenset({float}), _floats),
    GraphQLID: (_UUIDS | {int, str}, _texts),
    GraphQLInt: (frozenset({int}), _ints),
    GraphQLString: (_STR, _unchanged),
}
"""For each built-in scalar, the Python types that are completed here, and the function that converts their values."""
