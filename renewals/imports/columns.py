"""Pydantic types of the columns of an import.

A CSV cell is always text; a JSON Lines value has a JSON type. The key `IS_CSV` of the validation context distinguishes
the two. Each parser raises InvalidValueError with a message for the person who made the file.
"""

import datetime as dt
import functools
import re
import uuid
from collections.abc import Callable
from enum import Enum
from typing import Annotated, TypeVar

import orjson
from pydantic import AfterValidator, PlainValidator, ValidationInfo

from renewals.domain import dates, money, pricing, validation
from renewals.domain.messages import InvalidValueError, Message

IS_CSV = "is_csv"
"""The key, in the validation context, of the flag that is True for a CSV file."""
INTEGER_MAX = 2**31 - 1
E = TypeVar("E", bound=Enum)

_VOUCHER_NAMESPACE = uuid.UUID("0b0ee0d5-6f5b-5d0e-9d0c-3c1c0a8a7a51")
"""The namespace of the voucher ids that are derived from the provider's ids."""
_INTEGER = re.compile(r"-?[0-9]+", re.ASCII)
_TIER = re.compile(r"\s*([0-9]{1,9}):([0-9.]+)%?\s*", re.ASCII)
_BOOLEANS = {"true": True, "false": False}
_CACHE_SIZE = 10_000
"""The maximum size of each cache of parsed texts.

The caches avoid many conversions, because a file repeats texts, such as those of prices and dates.
"""


def _is_cell(value: object, info: ValidationInfo) -> bool:
    return isinstance(value, str) and bool(info.context and info.context[IS_CSV])


def _check(find_problem: Callable[[str], Message | None]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if problem := find_problem(value):
            raise InvalidValueError(problem)
        return value

    return check


_check_identifier = _check(validation.identifier)


def _parse_text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise InvalidValueError(Message("must be text"))


@functools.lru_cache(_CACHE_SIZE)
def _parse_amount_text(value: str) -> int:
    return money.parse_cents(value)


def _parse_amount(value: object) -> int:
    return _parse_amount_text(value) if isinstance(value, str) else money.parse_cents(value)


def _parse_integer(value: object, info: ValidationInfo) -> int:
    shown = validation.truncate(str(value))
    if _is_cell(value, info) and _INTEGER.fullmatch(str(value)):
        # int() raises an error for more than 4,300 digits.
        digits = str(value)
        value = int(digits) if len(digits.lstrip("-0")) <= len(str(INTEGER_MAX)) else INTEGER_MAX + 1
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidValueError(Message("must be a whole number"))
    if abs(value) > INTEGER_MAX:
        raise InvalidValueError(validation.between(shown, -INTEGER_MAX, INTEGER_MAX))
    return value


def _parse_boolean(value: object, info: ValidationInfo) -> bool:
    if _is_cell(value, info):
        value = _BOOLEANS.get(str(value).lower())  # spreadsheets write TRUE
    if isinstance(value, bool):
        return value
    raise InvalidValueError(Message("must be true or false"))


@functools.lru_cache(_CACHE_SIZE)
def _parse_date_text(value: str) -> dt.date:
    return dates.parse_date(value)


def _parse_date(value: object) -> dt.date:
    return _parse_date_text(_parse_text(value))


def by_name(enum: type[E]) -> PlainValidator:
    """Return a validator that parses the name of an enum's member."""
    members = {member.name: member for member in enum}

    def parse(value: object) -> E:
        if isinstance(value, str) and value in members:
            return members[value]
        raise InvalidValueError(Message("must be one of {values}", values=tuple(members)))

    return PlainValidator(parse)


def _parse_codes(value: object, info: ValidationInfo) -> tuple[str, ...]:
    if _is_cell(value, info):
        value = str(value).split(";")
    if isinstance(value, list):
        return tuple(_check_identifier(_parse_text(code)) for code in value)
    raise InvalidValueError(Message("must be a list of codes"))


def _parse_tiers(value: object, info: ValidationInfo) -> tuple[pricing.DiscountTier, ...]:
    if _is_cell(value, info):
        matches = [_TIER.fullmatch(part) for part in str(value).split(";")]
        if not all(matches):
            raise InvalidValueError(Message("must be months and percentages, for example 12:17%;24:20%"))
        return tuple(
            pricing.DiscountTier(int(match[1]), money.parse_cents(match[2])) for match in matches if match
        )
    if not isinstance(value, list):
        raise InvalidValueError(
            Message('must be a list of objects, for example [{{"months": 12, "discountPercent": "17"}}]')
        )
    items = [_check_keys(item, ("months", "discountPercent")) for item in value]
    return tuple(
        pricing.DiscountTier(_parse_integer(item["months"], info), money.parse_cents(item["discountPercent"]))
        for item in items
    )


@functools.lru_cache(_CACHE_SIZE)
def _parse_configuration_text(value: str) -> tuple[tuple[str, str], ...]:
    try:
        return _parse_items(orjson.loads(value))
    except orjson.JSONDecodeError as error:
        raise InvalidValueError(Message("must be JSON: {error}", error=str(error))) from None


def _parse_configuration(value: object, info: ValidationInfo) -> tuple[tuple[str, str], ...]:
    if isinstance(value, tuple):  # the `configuration.` columns of a CSV file
        return value
    return _parse_configuration_text(str(value)) if _is_cell(value, info) else _parse_items(value)


def _parse_items(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple((label, _parse_text(text)) for label, text in value.items())
    if isinstance(value, list):
        items = [_check_keys(item, ("label", "value")) for item in value]
        return tuple((_parse_text(item["label"]), _parse_text(item["value"])) for item in items)
    raise InvalidValueError(Message('must be an object of labels and values, for example {{"CPU": "8"}}'))


@functools.lru_cache(_CACHE_SIZE)
def _parse_tags_text(value: str) -> tuple[tuple[str, str], ...]:
    try:
        return _parse_tag_items(orjson.loads(value))
    except orjson.JSONDecodeError as error:
        raise InvalidValueError(Message("must be JSON: {error}", error=str(error))) from None


def _parse_tags(value: object, info: ValidationInfo) -> tuple[tuple[str, str], ...]:
    return _parse_tags_text(str(value)) if _is_cell(value, info) else _parse_tag_items(value)


def _parse_tag_items(value: object) -> tuple[tuple[str, str], ...]:
    if isinstance(value, dict):
        return tuple((key, _parse_text(text)) for key, text in value.items())
    if isinstance(value, list):
        items = [_check_keys(item, ("key", "value")) for item in value]
        return tuple((_parse_text(item["key"]), _parse_text(item["value"])) for item in items)
    raise InvalidValueError(Message('must be an object of keys and values, for example {{"env": "prod"}}'))


def _check_keys(value: object, keys: tuple[str, ...]) -> dict[str, object]:
    if isinstance(value, dict) and value.keys() == set(keys):
        return value
    raise InvalidValueError(
        Message("must be a list of objects that have exactly these keys: {keys}", keys=keys)
    )


def _parse_voucher_id(value: object) -> uuid.UUID:
    """Return the id if it is a UUID, otherwise a UUID that is derived from the id."""
    identifier = _check_identifier(_parse_text(value))
    try:
        return uuid.UUID(identifier)
    except ValueError:
        return uuid.uuid5(_VOUCHER_NAMESPACE, identifier)


Identifier = Annotated[str, AfterValidator(_check_identifier)]
"""An id or a code."""
Name = Annotated[str, AfterValidator(_check(validation.name))]
"""A display name."""
Amount = Annotated[int, PlainValidator(_parse_amount)]
"""Money in cents, or a percentage in basis points; in the file, it has at most two decimal places."""
Integer = Annotated[int, PlainValidator(_parse_integer)]
Boolean = Annotated[bool, PlainValidator(_parse_boolean)]
"""True or false; the case of a CSV cell does not matter."""
Date = Annotated[dt.date, PlainValidator(_parse_date)]
Instant = Annotated[dt.datetime, PlainValidator(dates.parse_instant)]
"""An instant with a UTC offset."""
Codes = Annotated[tuple[str, ...], PlainValidator(_parse_codes)]
"""Codes, separated by semicolons in a CSV cell."""
Tiers = Annotated[tuple[pricing.DiscountTier, ...], PlainValidator(_parse_tiers)]
"""Discount tiers, written as 12:17%;24:20% in a CSV cell."""
Configuration = Annotated[tuple[tuple[str, str], ...], PlainValidator(_parse_configuration)]
"""Labels and values, written as JSON in a CSV cell."""
Tags = Annotated[tuple[tuple[str, str], ...], PlainValidator(_parse_tags)]
"""Keys and values, written as JSON in a CSV cell."""
VoucherId = Annotated[uuid.UUID, PlainValidator(_parse_voucher_id)]
"""A UUID, or any id of the provider, from which a UUID is derived."""
