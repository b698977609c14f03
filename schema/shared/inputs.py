"""Helpers for input types."""

from collections.abc import Mapping
from typing import Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

Value = TypeVar("Value")


def unset_to_none(value: Value | None) -> Value | None:
    """Return None for an argument that the client omitted, and any other value as it is."""
    return None if value is strawberry.UNSET else value


def sent_values(sent: object) -> dict[str, Any]:
    """Return the fields of an input that the client sent, and those with a default, by Python name.

    Return an empty dictionary if there is no input.
    """
    if not sent:  # null, or an omitted argument
        return {}
    return {name: value for name, value in vars(sent).items() if value is not strawberry.UNSET}


def skip_conversion(input_type: type[Value]) -> type[Value]:
    """Make Strawberry build an input type from the values of its fields without converting them.

    Use it only for inputs whose fields are scalars, enums, or lists that are never changed.
    """
    definition = input_type.__strawberry_definition__  # type: ignore[attr-defined]
    names = {to_camel_case(field.python_name): field.python_name for field in definition.fields}

    def from_input(target_type: type[Value], values: Mapping[str, object], _: object) -> Value:
        return target_type(**{names[name]: value for name, value in values.items()})

    definition.from_input = from_input
    return input_type
