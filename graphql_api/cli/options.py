"""Options and helpers that several commands share."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from graphql_api.server import bootstrap

if TYPE_CHECKING:
    from renewals import config

INSTANT_HELP = "ISO 8601, for example 2027-03-01T00:30; RENEWALS_TIME_ZONE applies if the offset is missing."
YEAR_MIN, YEAR_MAX = 1970, 8999

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def required_database_url() -> str:
    """Return DATABASE_URL, or end the command with a message if it is not set."""
    return bootstrap.required(lambda: bootstrap.configure().required_database_url)


def parse_instant(text: str | None, settings: "config.Settings", name: str = "--at") -> dt.datetime:
    """Return the instant in `text`, in UTC; if `text` is None or empty, the current time.

    Raises BadParameter, which names the option `name`, if `text` is not ISO 8601 or the year is outside YEAR_MIN to
    YEAR_MAX.
    """
    from renewals.domain import clock as clocks

    if not text:
        return clocks.utc_now()
    try:
        instant = dt.datetime.fromisoformat(text)
        if not YEAR_MIN <= instant.year <= YEAR_MAX:
            raise ValueError(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=settings.time_zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        reason = (
            f"must be in ISO 8601, for example 2027-03-01T00:30, with a year from {YEAR_MIN} to {YEAR_MAX}"
        )
        raise typer.BadParameter(reason, param_hint=name) from None


def replace_settings(settings: "config.Settings", options: Mapping[str, object]) -> "config.Settings":
    """Return the settings with the values of the options that were given.

    If a value is out of bounds, end the command with a message that names the option.
    """
    from renewals import config

    for name, value in options.items():
        if value is not None:
            try:
                settings = config.replace(settings, name, value)
            except ValueError as error:
                bootstrap.fail(config.format_errors(error, f"--{name.replace('_', '-')}"))
    return settings


def print_lines(lines: Iterable[str]) -> None:
    """Print each line to standard output."""
    for line in lines:
        typer.echo(line)
