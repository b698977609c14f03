"""What every command does alike: read the settings, run, and say in a line what an operator can mend."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import NoReturn, TypeVar

import asyncpg
import redis
import typer

from renewals import logs, server_version, settings

Value = TypeVar("Value")


def configure() -> settings.Settings:
    """The settings, or one line for each that is wrong."""
    try:
        chosen = settings.get()
    except ValueError as problem:
        fail(settings.explain(problem))
    logs.configure(chosen)
    return chosen


def required(read: Callable[[], Value]) -> Value:
    """What a command cannot do without, or a word on how to get it."""
    try:
        return read()
    except settings.SettingMissingError as problem:
        fail(str(problem))


def run(work: Coroutine[object, object, Value]) -> Value:
    """Runs a command's work; says in a line what an operator can mend."""
    try:
        return asyncio.run(work)
    except (
        OSError,
        asyncpg.PostgresConnectionError,
        asyncpg.InvalidCatalogNameError,
        redis.ConnectionError,
    ) as problem:
        fail(f"A server cannot be reached: {problem}")
    except server_version.UnsupportedServerError as problem:
        fail(str(problem))
    except asyncpg.UndefinedTableError:
        fail("The database has no tables yet: run `renewals migrate`.")


def fail(message: str) -> NoReturn:
    """Ends a command with 1 and a word why."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
