"""The environment as a source of settings, and the marks of the settings' fields."""

from pydantic import BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource, NoDecode

from renewals.config import validators


class _Marker:
    """A mark of fields that an operator does not set."""


FIXED = _Marker()
"""The mark of a field that the environment cannot set, such as a limit of the product or a command-line option."""
INTERNAL = _Marker()
"""The mark of a value that `renewals up` or a test passes to its processes."""


CommaSeparated = (NoDecode, BeforeValidator(validators.split_at_commas))
"""The marks of a setting with several parts, separated by commas."""


class Environment(EnvSettingsSource):
    """The environment as the source of all fields except the fixed ones."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        """Return the value of a field's variable (None for a fixed field), a name, and whether the value is JSON."""
        if FIXED in field.metadata:
            return None, field_name, False
        return super().get_field_value(field, field_name)
