"""What an operator's values must be like: each check answers what is wrong with a value, or None."""

import datetime as dt
import functools
import re
from collections.abc import Sequence
from zoneinfo import available_timezones

from renewals.domain import errors, money

ID_LENGTH_MAX = 64
NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 1_000
CONFIGURATION_ITEMS_MAX = 50
MONTHLY_PRICE_CENTS_MAX = 10**11
AMOUNT_CENTS_MAX = 10**13
BALANCE_CENTS_MAX = 10**16
PRICE_RISE_CAP_BPS_MAX = 1_000_000
RETENTION_DAYS_MAX = 3_650
TERM_MONTHS_MAX = 120
FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2199, 12, 31)

_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})
"""Files beside the zones, which say that none was chosen, or are whatever a machine was set to."""
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def identifier(value: str) -> str | None:
    """An id or a code, as the provider has it."""
    if not 1 <= len(value) <= ID_LENGTH_MAX or not value.isprintable():
        return f"must be 1 to {ID_LENGTH_MAX} printable characters"
    return None


def name(value: str) -> str | None:
    """A name that people read, in any script."""
    return text(value, 1, NAME_LENGTH_MAX)


def text(value: str, length_min: int = 0, length_max: int = TEXT_LENGTH_MAX) -> str | None:
    """A text of one line."""
    if not length_min <= len(value) <= length_max:
        return f"must be {length_min} to {length_max} characters"
    return "must have no control characters" if _UNPRINTABLE.search(value) else None


def currency(value: str) -> str | None:
    """A currency's code."""
    return None if _CURRENCY.fullmatch(value) else "must be a currency's three letters, as in CNY"


def time_zone(value: str) -> str | None:
    """A zone of the IANA database."""
    return (
        None if value in _known_zones() else "must be a time zone of the IANA database, as in Asia/Shanghai"
    )


@functools.cache
def _known_zones() -> frozenset[str]:
    """All zones that are somewhere; to look for them reads their every file."""
    return frozenset(available_timezones()) - _NO_ZONES


def check_range(value: int | None, least: int, most: int) -> str | None:
    """A whole number within bounds, or none at all."""
    return None if value is None or least <= value <= most else f"must be {least} to {most}"


def check_decimal_range(value: int | None, least: int, most: int) -> str | None:
    """The same of cents and of basis points, which are written with two decimal places."""
    if value is None or least <= value <= most:
        return None
    return f"must be {money.format_cents(least)} to {money.format_cents(most)}"


def monthly_price(cents: int) -> str | None:
    """A price of a month."""
    return check_decimal_range(cents, 0, MONTHLY_PRICE_CENTS_MAX)


def amount(cents: int) -> str | None:
    """Money that is given."""
    return check_decimal_range(cents, 1, AMOUNT_CENTS_MAX)


def balance(cents: int) -> str | None:
    """What a balance may come to, far below what a forecast takes for enough."""
    if cents <= BALANCE_CENTS_MAX:
        return None
    return f"would make the balance more than {money.format_cents(BALANCE_CENTS_MAX)}"


def day(value: dt.date) -> str | None:
    """A day that nothing overflows on."""
    return None if FIRST_DAY <= value <= LAST_DAY else f"must be {FIRST_DAY} to {LAST_DAY}"


def instant(value: dt.datetime | None) -> str | None:
    """An instant on such a day, or none at all."""
    return None if value is None else day(value.date())


def check_future(value: dt.datetime | None, now: dt.datetime) -> str | None:
    """An instant in the future, or none at all."""
    if value is None or (now < value and value.date() <= LAST_DAY):
        return None
    return f"must be in the future, and until {LAST_DAY}"


def raise_if_invalid(field: str, problem: str | None) -> None:
    """Raises InvalidInputError where there is a problem with a field of the input."""
    if problem:
        raise errors.InvalidInputError(f"input.{field}", problem)


def require_unique(field: str, name: str, ids: Sequence[str]) -> None:
    """Raises InvalidInputError for the first row whose id an earlier one has."""
    seen: set[str] = set()
    for number, each in enumerate(ids):
        raise_if_invalid(
            f"{field}.{number}.{name}", "is more than once in this call" if each in seen else None
        )
        seen.add(each)
