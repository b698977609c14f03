"""The types of the schema's scalars."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, PlainSerializer


def _format_money(amount: Decimal) -> str:
    """Return an amount without an exponent, because the server refuses exponents."""
    return format(amount, "f")


Money: TypeAlias = Annotated[Decimal, PlainSerializer(_format_money, return_type=str)]
"""An exact amount in the account's currency."""

DateTime: TypeAlias = AwareDatetime
"""An instant with an offset; a value without an offset is refused."""

Date: TypeAlias = dt.date
"""A calendar date in the account's time zone."""
