"""Percentages, as operators speak of them."""

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from renewals.domain import money
from schema.shared import scalars

Percent = NewType("Percent", int)
"""Basis points inside, a decimal string of percent outside."""

SCALARS: dict[object, ScalarDefinition] = {
    **scalars.SCALARS,
    Percent: strawberry.scalar(
        name="Percent",
        description='Percent with two decimal places, as a string: "17.00". Accepts what Money accepts.',
        serialize=money.format_cents,
        parse_value=money.parse_cents,
    ),
}
