"""Validators of values in requests and imports; most of them return the problem with a value, or None."""

import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence, Sized
from typing import TypeVar
from zoneinfo import available_timezones

from renewals.domain import errors
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.money import Cents

Value = TypeVar("Value")

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
"""Files in the zone directory that are not zones, or that depend on the machine's settings."""
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_UNPRINTABLE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


REPEATED = Message("must not appear more than once in a request")


NO_ITEMS = Message("must have at least 1 item")


def between(value: int | dt.date | str, minimum: int | dt.date, maximum: int | dt.date) -> Message:
    """Return the message for a value outside inclusive bounds."""
    return Message(
        "must be between {minimum} and {maximum}, not {value}", minimum=minimum, maximum=maximum, value=value
    )


def at_least_zero(value: int) -> Message:
    """Return the message for a negative number."""
    return Message("must be at least 0, not {value}", value=value)


def at_most_items(items_max: int, items: Sized) -> Message:
    """Return the message for a list with more than `items_max` items."""
    return CountedMessage(
        "must have at most {count:,} item, not {actual:,}",
        "must have at most {count:,} items, not {actual:,}",
        count=items_max,
        actual=len(items),
    )


def at_most_characters(length_max: int, value: str) -> Message:
    """Return the message for a text with more than `length_max` characters."""
    return CountedMessage(
        "must have at most {count:,} character, not {actual:,}",
        "must have at most {count:,} characters, not {actual:,}",
        count=length_max,
        actual=len(value),
    )


def printable(length_max: int) -> Message:
    """Return the message for an id or a key that is empty, too long or not printable."""
    return Message("must be 1 to {maximum} printable characters", maximum=length_max)


def truncate(text: str, characters_max: int = ID_LENGTH_MAX) -> str:
    """Return a text to quote in a message: its first `characters_max` characters and "..." if it is longer."""
    return text if len(text) <= characters_max else f"{text[:characters_max]}..."


def find_repeated(values: Iterable[Value]) -> Value | None:
    """Return the first value that occurs more than once, or None."""
    return next((value for value, count in Counter(values).items() if count > 1), None)


def identifier(value: str) -> Message | None:
    """Validate an id or a code that the provider assigned."""
    if not 1 <= len(value) <= ID_LENGTH_MAX or not value.isprintable():
        return printable(ID_LENGTH_MAX)
    return None


def name(value: str) -> Message | None:
    """Validate a display name, in any script."""
    return text(value, 1, NAME_LENGTH_MAX)


def text(value: str, length_min: int = 0, length_max: int = TEXT_LENGTH_MAX) -> Message | None:
    """Validate a text of one line."""
    if length_min == 0 and len(value) > length_max:
        return at_most_characters(length_max, value)
    if not length_min <= len(value) <= length_max:
        return Message(
            "must have {minimum:,} to {maximum:,} characters, not {actual:,}",
            minimum=length_min,
            maximum=length_max,
            actual=len(value),
        )
    return (
        Message("must not contain control characters or line separators")
        if _UNPRINTABLE.search(value)
        else None
    )


def currency(value: str) -> Message | None:
    """Validate a currency code."""
    return (
        None
        if _CURRENCY.fullmatch(value)
        else Message("must be a currency code of three capital letters, such as CNY")
    )


def time_zone(value: str) -> Message | None:
    """Validate the name of a time zone of the IANA database."""
    if value in _known_zones():
        return None
    return Message("must be a time zone of the IANA database, such as Asia/Shanghai")


@functools.cache
def _known_zones() -> frozenset[str]:
    """Return the names of all IANA time zones; cached, because listing them reads every zone file."""
    return frozenset(available_timezones()) - _NO_ZONES


def check_range(value: int | None, minimum: int, maximum: int) -> Message | None:
    """Validate that a number, if given, is within inclusive bounds."""
    return None if value is None or minimum <= value <= maximum else between(value, minimum, maximum)


def check_decimal_range(value: int | None, minimum: int, maximum: int) -> Message | None:
    """Validate that an amount in cents or basis points, if given, is within inclusive bounds.

    The message shows the bounds with two decimal places.
    """
    if value is None or minimum <= value <= maximum:
        return None
    return between(Cents(value), Cents(minimum), Cents(maximum))


def monthly_price(cents: int) -> Message | None:
    """Validate a monthly price in cents."""
    return check_decimal_range(cents, 0, MONTHLY_PRICE_CENTS_MAX)


def amount(cents: int) -> Message | None:
    """Validate the amount, in cents, of a top-up or a voucher."""
    return check_decimal_range(cents, 1, AMOUNT_CENTS_MAX)


def balance(cents: int) -> Message | None:
    """Validate the balance, in cents, after a top-up: at most BALANCE_CENTS_MAX."""
    if cents <= BALANCE_CENTS_MAX:
        return None
    return Message("would make the balance exceed {maximum}", maximum=Cents(BALANCE_CENTS_MAX))


def day(value: dt.date) -> Message | None:
    """Validate a date; the bounds keep date arithmetic from overflowing."""
    return None if FIRST_DAY <= value <= LAST_DAY else between(value, FIRST_DAY, LAST_DAY)


def instant(value: dt.datetime | None) -> Message | None:
    """Validate the UTC date of an instant, if an instant is given."""
    return None if value is None else day(value.date())


def check_future(value: dt.datetime | None, now: dt.datetime) -> Message | None:
    """Validate that an instant, if given, is in the future and not after LAST_DAY."""
    if value is None or (now < value and value.date() <= LAST_DAY):
        return None
    return Message("must be in the future and not after {last}", last=LAST_DAY)


def raise_if_invalid(field: str, problem: Message | None) -> None:
    """Raise InvalidInputError for a field of the input unless `problem` is None."""
    if problem:
        raise errors.InvalidInputError(f"input.{field}", problem)


def require_unique(field: str, name: str, ids: Sequence[str]) -> None:
    """Raise InvalidInputError for the first row whose id equals that of an earlier row."""
    seen: set[str] = set()
    for number, row_id in enumerate(ids):
        raise_if_invalid(f"{field}.{number}.{name}", REPEATED if row_id in seen else None)
        seen.add(row_id)
