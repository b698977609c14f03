"""Money, instants and dates as GraphQL speaks them."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, NewType

import orjson
import strawberry
from strawberry.types.scalar import ScalarDefinition

from renewals.domain import money
from renewals.domain.dates import parse_date, parse_instant

_MOST = money.format_cents(money.CENTS_MAX)

Money = NewType("Money", int)
"""Cents inside, a decimal string outside."""


def format_instant(value: dt.datetime) -> str:
    """Writes an instant in UTC, whatever its offset was."""
    return (value if value.tzinfo is dt.UTC else value.astimezone(dt.UTC)).isoformat()


def format_instants(values: Sequence[object]) -> list[str] | None:
    """The same of many, as orjson writes them; None unless all are datetimes in UTC."""
    texts: list[str] | None = orjson.loads(orjson.dumps(values)) if are_utc(values) else None
    return texts


def are_utc(values: Sequence[Any]) -> bool:
    """Whether all are datetimes in UTC."""
    return _DATETIME.issuperset(map(type, values)) and _UTC.issuperset([value.tzinfo for value in values])


_DATETIME = frozenset({dt.datetime})
_UTC = frozenset({dt.UTC})


SCALARS: dict[object, ScalarDefinition] = {
    Money: strawberry.scalar(
        name="Money",
        description=(
            'An exact amount with two decimal places, as a string: "512.90". Accepts a decimal string or an '
            f"integer between -{_MOST} and {_MOST}; refuses floats, exponents, NaN and more than two places."
        ),
        serialize=money.format_cents,
        parse_value=money.parse_cents,
    ),
    dt.datetime: strawberry.scalar(
        name="DateTime",
        description="An instant, ISO 8601 with offset; always answered in UTC.",
        serialize=format_instant,
        parse_value=parse_instant,
    ),
    dt.date: strawberry.scalar(
        name="Date",
        description="A calendar date in the account's time zone, ISO 8601.",
        serialize=dt.date.isoformat,
        parse_value=parse_date,
    ),
}
