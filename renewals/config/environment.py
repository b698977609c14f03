"""The environment as a source of settings, and the fields that it does not set."""

from typing import Any

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, NoDecode

from renewals.config import validators


class _Marker:
    """The kind of a field that is not a setting."""


FIXED = _Marker()
"""Marks a limit of the product: the environment does not change it; tests construct other values."""
INTERNAL = _Marker()
"""Marks a value that `renewals up` passes to its server."""


CommaSeparated = (NoDecode, BeforeValidator(validators.split_at_commas))
"""Marks a value of several parts, separated by commas."""


class Environment(EnvSettingsSource):
    """The environment without the fixed fields."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of a variable, its name, and whether it is JSON."""
        if FIXED in field.metadata:
            return None, field_name, False
        return super().get_field_value(field, field_name)
