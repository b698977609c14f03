"""The language of the output of commands with the option `--lang`.

It does not affect JSON, `--help`, or errors about malformed options, settings and servers.
"""

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from graphql_api.server import bootstrap
from renewals.domain.model import Language

if TYPE_CHECKING:
    from renewals.domain import errors

VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""The environment variables that name a locale. The first one that is not empty decides (POSIX.1-2017, 8.2)."""

Lang = Annotated[
    Language | None,
    typer.Option("--lang", help=f"Language of the output. [default: from {', '.join(VARIABLES)}, else en]"),
]


def fail(
    error: "errors.DomainError", language: Language, options: Mapping[str, str] = MappingProxyType({})
) -> NoReturn:
    """End the command with the error as a sentence in `language`.

    `options` has the name of the option or argument for each field of a mutation's input that the error can name.
    """
    from renewals.domain import errors
    from renewals.i18n import catalogs

    message = error.message
    if isinstance(error, errors.InvalidInputError | errors.NotFoundError):
        message = message.fill(field=options.get(error.field, error.field), reason=error.reason)
    bootstrap.fail(catalogs.translate(message, language))


def choose(lang: Language | None) -> Language:
    """Return the language of the option `--lang`, else that of the locale if it is supported, else English."""
    if lang is not None:
        return lang
    locale = next((value for name in VARIABLES if (value := os.environ.get(name))), "")
    subtag = re.split(r"[_.@-]", locale, maxsplit=1)[0].lower()
    return Language(subtag) if subtag in tuple(Language) else Language.EN
