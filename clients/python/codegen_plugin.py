"""Plugin of ariadne-codegen: the generated types accept enum values and union members of a later server."""

import re

from ariadne_codegen.plugins.base import Plugin

_UNION = re.compile(r'(?P<members>(?:"\w+",?\s*)+)\](?P<between> = Field\([^)]*)discriminator="typename__"')

_SCALARS = "from renewals_client.scalars"
_MODELS = "from .base_model"


class OpenTypesPlugin(Plugin):
    """A plugin that makes enums and unions open, as the schema policy asks of a client."""

    def generate_enums_code(self, generated_code: str) -> str:
        """Give each enum the base class that accepts unknown values."""
        code = generated_code.replace("(str, Enum)", "(OpenEnum)")
        return code.replace("from enum import Enum", "from renewals_client.open_types import OpenEnum")

    def generate_result_types_code(self, generated_code: str) -> str:
        """Add the class of unknown errors to each union, as its last member."""
        code, count = _UNION.subn(_open, generated_code)
        imported = "from renewals_client.open_types import OtherError\n"
        if not count:
            return code
        if _SCALARS in code:
            return code.replace(_SCALARS, f"{imported}{_SCALARS}", 1)
        return code.replace(_MODELS, f"{imported}\n{_MODELS}", 1)


def _open(match: re.Match[str]) -> str:
    members = match["members"].rstrip().rstrip(",")
    return f'{members},\n        "OtherError",\n    ]{match["between"]}union_mode="left_to_right"'
