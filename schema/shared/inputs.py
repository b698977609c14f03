"""Helpers for input types."""

from collections.abc import Mapping
from typing import Any, TypeVar

import strawberry
from strawberry.utils.str_converters import to_camel_case

Value = TypeVar("Value")


def unset_to_none(value: Value | None) -> Value | None:
    """None for what a client left out, as for what it sent as null."""
    return None if value is strawberry.UNSET else value


def skip_conversion(input_type: type[Value]) -> type[Value]:
    """Spares Strawberry a look at each value of an input whose fields are leaves, or lists that nobody changes."""
    definition = input_type.__strawberry_definition__  # type: ignore[attr-defined]
    names = {to_camel_case(field.python_name): field.python_name for field in definition.fields}

    def from_input(of_type: type[Value], values: Mapping[str, Any], _: object) -> Value:
        return of_type(**{names[name]: value for name, value in values.items()})

    definition.from_input = from_input
    return input_type
