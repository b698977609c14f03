"""The scalars of both APIs: money, JSON, instants and dates."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from renewals.domain import money
from renewals.domain.dates import parse_date, parse_instant

_MONEY_MAX = money.format_cents(money.CENTS_MAX)

Money = NewType("Money", int)
"""Cents in Python, a decimal string in GraphQL."""


JSON = NewType("JSON", object)
"""A value of JSON: a mapping, a list, a string, a number, a Boolean or None."""


def format_instant(value: dt.datetime) -> str:
    """Return an instant as text in UTC."""
    return (value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)).isoformat()


def format_instants(values: Sequence[object]) -> list[str] | None:
    """Return instants as text, formatted by orjson in one call; None if a value is not a datetime in UTC."""
    texts: list[str] | None = orjson.loads(orjson.dumps(values)) if are_utc(values) else None
    return texts


def are_utc(values: Sequence[Any]) -> bool:
    """Return whether all values are datetimes in UTC."""
    return _DATETIME.issuperset(map(type, values)) and _UTC.issuperset([value.tzinfo for value in values])


_DATETIME = frozenset({dt.datetime})
_UTC = frozenset({dt.UTC})


SCALARS: dict[object, ScalarDefinition] = {
    Money: strawberry.scalar(
        name="Money",
        description=(
            'An exact amount in the account\'s currency with two decimal places, as a string such as "512.90". '
            f"Accepts a decimal string or an integer from -{_MONEY_MAX} to {_MONEY_MAX}. "
            "Floats, exponents and more than two decimal places are refused."
        ),
        serialize=money.format_cents,
        parse_value=money.parse_cents,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="A value of JSON, such as an object.",
        serialize=lambda value: value,
        parse_value=lambda value: value,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description="An instant in ISO 8601 with an offset. Results are always in UTC.",
        serialize=format_instant,
        parse_value=parse_instant,
    ),
    dt.date: strawberry.scalar(
        name="Date",
        description="A calendar date in the account's time zone, in ISO 8601: YYYY-MM-DD.",
        serialize=dt.date.isoformat,
        parse_value=parse_date,
    ),
}
