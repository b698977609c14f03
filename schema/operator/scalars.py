"""The scalars of the operator API: those of the customer API, and percentages."""

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from renewals.domain import money
from schema.shared import scalars

Percent = NewType("Percent", int)
"""Basis points in Python, a percentage as a decimal string in GraphQL."""

SCALARS: dict[object, ScalarDefinition] = {
    **scalars.SCALARS,
    Percent: strawberry.scalar(
        name="Percent",
        description=(
            'A percentage with two decimal places, as a string: "17.00". Accepts the same input values as Money.'
        ),
        serialize=money.format_cents,
        parse_value=money.parse_cents,
    ),
}
