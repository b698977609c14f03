"""The environment variables of the settings, and error messages that name them."""

import difflib
from collections.abc import Iterable

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from renewals.config.environment import FIXED, INTERNAL
from renewals.config.settings import Settings

NEARNESS_MIN = 0.8
"""The minimum similarity at which one name counts as a misspelling of another."""


def format_errors(problem: ValueError, name: str | None = None) -> str:
    """Return a line for each invalid setting, with its variable or `name` and the error, but without secrets.

    If `problem` is not a ValidationError, return its text.
    """
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "\n".join(
        f"{name or _variable(str(error['loc'][0]))}: {error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors(include_url=False)
    )


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Return a sentence for each unknown variable with the prefix of settings; it suggests a similar name, if any."""
    prefix = str(Settings.model_config["env_prefix"])
    names = [
        _variable_of(name) for name, field in Settings.model_fields.items() if FIXED not in field.metadata
    ]
    known = {name.removeprefix(prefix): name for name in names}
    sentences = []
    for name in sorted(environment):
        if name.startswith(prefix) and name not in names:
            near = difflib.get_close_matches(name.removeprefix(prefix), known, n=1, cutoff=NEARNESS_MIN)
            hint = f"; did you mean {known[near[0]]}?" if near else " of this version"
            sentences.append(f"{name} is not a setting{hint}")
    return sentences


def variables() -> dict[str, FieldInfo]:
    """Return the fields that an operator can set, by the names of their variables."""
    return {
        _variable_of(name): field
        for name, field in Settings.model_fields.items()
        if FIXED not in field.metadata and INTERNAL not in field.metadata
    }


def _variable_of(name: str) -> str:
    return _variable(str(Settings.model_fields[name].validation_alias or name))


def _variable(name: str) -> str:
    return name if name.isupper() else f"{Settings.model_config['env_prefix']}{name}".upper()
