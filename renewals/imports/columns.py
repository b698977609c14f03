"""What a cell says: each reader answers a value as the domain has it, or raises ValueError with what is wrong.

Columns have the names of the operator API's fields, and JSON Lines its values, too. In CSV all is text.
"""

import datetime as dt
import functools
import re
import uuid
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeVar

import orjson

from renewals.domain import dates, money, pricing, validation

Read = Callable[[Any], Any]
E = TypeVar("E", bound=Enum)

_VOUCHERS = uuid.UUID("0b0ee0d5-6f5b-5d0e-9d0c-3c1c0a8a7a51")
"""The namespace of the ids that vouchers get from the provider's."""
_WHOLE = re.compile(r"-?[0-9]+", re.ASCII)
_WHOLE_MAX = 2**31 - 1
_TIER = re.compile(r"\s*([0-9]{1,9}):([0-9.]+)%?\s*", re.ASCII)
_FLAGS = {"true": True, "false": False}


class ImportColumn(NamedTuple):
    """A column by its name, and how it is read from a cell and from JSON."""

    name: str
    from_text: Read
    from_json: Read
    is_required: bool = False


def required(column: ImportColumn) -> ImportColumn:
    """The column, which no row may leave out."""
    return column._replace(is_required=True)


def text(name: str) -> ImportColumn:
    """Any text."""
    return ImportColumn(name, str, _text)


def name(name: str) -> ImportColumn:
    """A name that people read."""
    return ImportColumn(name, _name, lambda value: _name(_text(value)))


def identifier(name: str) -> ImportColumn:
    """An id or a code."""
    return ImportColumn(name, _identifier, lambda value: _identifier(_text(value)))


def amount(name: str) -> ImportColumn:
    """Money or percent, with two places at most."""
    return ImportColumn(name, _amount, _amount)


def integer(name: str) -> ImportColumn:
    """A whole number."""
    return ImportColumn(name, _whole_of_text, _whole)


def boolean(name: str) -> ImportColumn:
    """True or false, in any case: spreadsheets write TRUE."""
    return ImportColumn(name, _flag_of_text, _flag)


def day(name: str) -> ImportColumn:
    """A date."""
    return ImportColumn(name, _day, _day)


def timestamp(name: str) -> ImportColumn:
    """An instant with its offset."""
    return ImportColumn(name, dates.parse_instant, dates.parse_instant)


def enum(name: str, of: type[E]) -> ImportColumn:
    """One of some words."""
    words = {each.name: each for each in of}

    def read(value: object) -> E:
        if isinstance(value, str) and value in words:
            return words[value]
        raise ValueError(f"must be one of {', '.join(words)}")

    return ImportColumn(name, read, read)


def codes(name: str) -> ImportColumn:
    """Codes: in a cell with semicolons between them."""
    return ImportColumn(name, lambda value: tuple(map(_identifier, value.split(";"))), _codes)


def tiers(name: str) -> ImportColumn:
    """Discount tiers: in a cell as in 12:17%;24:20%."""
    return ImportColumn(name, _tiers_of_text, _tiers)


def configuration(name: str) -> ImportColumn:
    """Labels and values: in a cell as JSON."""
    return ImportColumn(name, _configuration_of_text, _configuration)


def voucher_id(name: str) -> ImportColumn:
    """An id of the provider's, which is a UUID or becomes one, the same each time."""
    return ImportColumn(name, _voucher_id, lambda value: _voucher_id(_text(value)))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("must be a text")


def _identifier(value: str) -> str:
    if problem := validation.identifier(value):
        raise ValueError(problem)
    return value


def _name(value: str) -> str:
    if problem := validation.name(value):
        raise ValueError(problem)
    return value


@functools.lru_cache(10_000)  # those of a list are much alike
def _amount_of_text(value: str) -> int:
    return money.parse_cents(value)


def _amount(value: object) -> int:
    return _amount_of_text(value) if isinstance(value, str) else money.parse_cents(value)


def _whole_of_text(value: str) -> int:
    if _WHOLE.fullmatch(value):
        digits = value.lstrip("-0")
        return _whole(int(value) if len(digits) <= len(str(_WHOLE_MAX)) else _WHOLE_MAX + 1)
    raise ValueError("must be a whole number")


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("must be a whole number")
    if abs(value) > _WHOLE_MAX:
        raise ValueError(f"is too large: it must be between -{_WHOLE_MAX} and {_WHOLE_MAX}")
    return value


def _flag_of_text(value: str) -> bool:
    if value.lower() in _FLAGS:
        return _FLAGS[value.lower()]
    raise ValueError("must be true or false")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


@functools.lru_cache(10_000)
def _day_of_text(value: str) -> dt.date:
    return dates.parse_date(value)


def _day(value: object) -> dt.date:
    return _day_of_text(_text(value))


def _codes(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_identifier(_text(each)) for each in value)
    raise ValueError("must be a list of codes")


def _tiers_of_text(value: str) -> tuple[pricing.DiscountTier, ...]:
    found = [_TIER.fullmatch(each) for each in value.split(";")]
    if not all(found):
        raise ValueError("must be months and percents, as in 12:17%;24:20%")
    return tuple(pricing.DiscountTier(int(each[1]), money.parse_cents(each[2])) for each in found if each)


def _tiers(value: object) -> tuple[pricing.DiscountTier, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of months and discountPercent")
    return tuple(
        pricing.DiscountTier(_whole(each["months"]), money.parse_cents(each["discountPercent"]))
        for each in (_object(each, ("months", "discountPercent")) for each in value)
    )


@functools.lru_cache(10_000)
def _configuration_of_text(value: str) -> tuple[tuple[str, str], ...]:
    try:
        return _configuration(orjson.loads(value))
    except orjson.JSONDecodeError as problem:
        raise ValueError(f"is no JSON: {problem}") from None


def _configuration(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple((label, _text(each)) for label, each in value.items())
    if isinstance(value, list):
        items = [_object(each, ("label", "value")) for each in value]
        return tuple((_text(item["label"]), _text(item["value"])) for item in items)
    raise ValueError('must be labels and values, as in {"CPU": "8"}')


def _object(value: object, names: tuple[str, ...]) -> Mapping[str, Any]:
    if isinstance(value, dict) and value.keys() == set(names):
        return value
    raise ValueError(f"must have {' and '.join(names)}, and nothing else")


def _voucher_id(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(_identifier(value))
    except ValueError:
        return uuid.uuid5(_VOUCHERS, _identifier(value))
