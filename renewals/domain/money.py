"""Money in whole cents (rule 12): parsing, formatting and rounding, without floats."""

import functools
import re

from renewals.domain.messages import InvalidValueError, Message

CENTS_MAX = 10**15
"""The largest amount that is accepted, in cents; a 64-bit column holds 9,000 times as much."""

_NOT_AN_AMOUNT = Message(
    'an amount must be an integer or a decimal string with at most two decimal places, as in "512.90"'
)
_DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,2}))?", re.ASCII)
_DIGITS_MAX = len(str(CENTS_MAX // 100))


def parse_cents(value: object) -> int:
    """Return the cents of an amount: a decimal string ("512.90", "512.9", "512") or an integer (512).

    Raises InvalidValueError for anything else: floats, exponents, NaN, signs other than a leading minus, more than two
    decimal places, and amounts beyond CENTS_MAX.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return _check_bound(value * 100)
    if isinstance(value, str) and (match := _DECIMAL.fullmatch(value)):
        sign, whole, fraction = match.groups(default="")
        whole = whole.lstrip("0")[: _DIGITS_MAX + 1]  # int() takes quadratic time in the number of digits
        cents = int(whole or 0) * 100 + int(fraction.ljust(2, "0"))
        return _check_bound(-cents if sign else cents)
    raise InvalidValueError(_NOT_AN_AMOUNT)


def _check_bound(cents: int) -> int:
    if abs(cents) > CENTS_MAX:
        message = Message(
            "the amount must be between {minimum} and {maximum}",
            minimum=Cents(-CENTS_MAX),
            maximum=Cents(CENTS_MAX),
        )
        raise InvalidValueError(message)
    return cents


_FRACTIONS = tuple(f".{cents:02}" for cents in range(100))


@functools.lru_cache(4_096, typed=True)  # a provider has few distinct prices, and every page shows them
def format_cents(cents: int) -> str:
    """Format cents with two decimal places: 51290 as "512.90"."""
    if cents < 0:
        return f"-{format_cents(-cents)}"
    return f"{cents // 100}{_FRACTIONS[cents % 100]}"


class Cents(int):
    """An amount in cents that messages show with two decimal places."""

    def __format__(self, specification: str) -> str:
        return format(format_cents(int(self)), specification)


def divide_half_up(numerator: int, denominator: int) -> int:
    """Divide a non-negative integer by a positive one, rounding half up."""
    return (2 * numerator + denominator) // (2 * denominator)
