"""Shared steps of the commands: read the settings, run, and explain each error that an operator can correct."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from renewals import config as renewals_config

log = logging.getLogger(__name__)

Value = TypeVar("Value")

CHECK_SECONDS_MAX = 5
_MACHINE = (errno.EIO, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Error numbers for a disk that fails, or for a lack of files or of memory."""


def configure(*, warns: bool = True) -> "renewals_config.Settings":
    """Configure the log and return the settings, or fail with one line for each invalid setting.

    An unknown `RENEWALS_` variable is only logged as a warning, because several versions may share an environment.
    """
    from renewals import config
    from renewals.observability import log_config

    try:
        settings = config.get_settings()
    except ValueError as problem:
        fail(config.format_errors(problem))
    log_config.configure(settings)
    if warns:
        for sentence in config.unknown_variables(os.environ):
            log.warning(sentence)
    return settings


def required(read: Callable[[], Value]) -> Value:
    """Return a required setting, or fail with a sentence on how to set it."""
    from renewals import config

    try:
        return read()
    except config.SettingMissingError as problem:
        fail(str(problem))


def run(work: Coroutine[object, object, Value]) -> Value:
    """Run a command's work; fail with a short message for an error that an operator can correct."""
    try:
        return asyncio.run(work)
    except Exception as problem:
        sentence = _explain(problem)
        if sentence is None:
            raise
        fail(sentence)


def check_servers(settings: "renewals_config.Settings") -> None:
    """Fail with a short message if a wrong configuration prevents the connection to PostgreSQL.

    Do not fail if PostgreSQL cannot be reached yet.
    """
    from renewals.db import configuration_errors, sessions
    from renewals.db import errors as db_errors

    async def connect() -> None:
        connection, _ = await sessions.connect_first(
            settings.database_url,
            timeout=CHECK_SECONDS_MAX,
            server_settings=sessions.build_settings(statement=settings.database_statement_seconds_max),
            transaction_seconds_max=sessions.TRANSACTION_SECONDS_MAX,
            statement_cache_size=0,
        )
        await connection.close()

    try:
        asyncio.run(connect())
    except Exception as problem:
        sentence = configuration_errors.explain(problem)
        if sentence is not None:
            fail(sentence)
        if not db_errors.is_unavailable(problem):
            raise


def _explain(problem: Exception) -> str | None:
    """Return the message for an error that an operator can correct, or None for any other error."""
    import asyncpg
    import redis

    from renewals.db import configuration_errors, migrate
    from renewals.db import errors as db_errors

    problem = db_errors.original_error(problem)
    if isinstance(problem, BrokenPipeError):  # standard output was closed, which Click handles
        return None
    if isinstance(problem, ExceptionGroup):
        sentences = [_explain(member) for member in problem.exceptions]
        return sentences[0] if all(sentences) else None
    if sentence := configuration_errors.explain(problem):
        return sentence
    if isinstance(problem, migrate.TablesInUseError | migrate.UnknownMigrationsError):
        return str(problem)
    if isinstance(problem, OSError) and (sentence := _explain_machine(problem)):
        return sentence
    if isinstance(
        problem, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError | asyncpg.UndefinedFunctionError
    ):
        return _explain_schema(problem)
    if db_errors.is_unavailable(problem) or isinstance(problem, redis.ConnectionError | redis.TimeoutError):
        # Only the first line is printed: errors of asyncpg and PostgreSQL may have further lines of detail.
        reason = (str(problem).splitlines() or [""])[0] or type(problem).__name__
        if _is_refused_work(problem):
            return (
                f"PostgreSQL cannot do this now: {reason.rstrip('.')}. Remove the cause, or try again later."
            )
        return f"A server cannot be reached: {reason}"
    return None


def _explain_machine(problem: OSError) -> str | None:
    """Return the message for an error of this machine, or None if a server may have caused the error."""
    if problem.filename:
        return f"{problem.filename}: {problem.strerror}"
    if problem.errno == errno.EADDRINUSE or "attempting to bind" in str(problem):
        return f"Cannot listen: {problem.strerror}. Choose another address or port."
    if isinstance(problem, socket.gaierror):
        return f"A host name cannot be resolved: {problem.strerror}. Check DATABASE_URL and the name server."
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{problem.strerror}. Free disk space on this machine."
    return problem.strerror if problem.errno in _MACHINE else None


def _is_refused_work(problem: Exception) -> bool:
    """Return whether a running PostgreSQL refused or canceled the work, for example because of a deadlock."""
    import asyncpg

    unreachable = (asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
    return isinstance(problem, asyncpg.QueryCanceledError) or (
        isinstance(problem, asyncpg.PostgresError) and not isinstance(problem, unreachable)
    )


def _explain_schema(problem: Exception) -> str:
    """Return a message that says that the tables are missing, too old or too new, or that they do not fit."""
    import asyncpg

    from renewals import config
    from renewals.db import migrate

    try:
        missing, unknown = asyncio.run(migrate.compare(config.get_settings().required_database_url))
    except asyncpg.UndefinedTableError:
        return "The database has no tables yet: run `renewals migrate`."
    except Exception:  # noqa: BLE001 - the message below still names the first error
        missing, unknown = [], []
    if unknown:
        return str(migrate.UnknownMigrationsError(unknown))
    if missing:
        return f"The database lacks migrations ({', '.join(missing)}): run `renewals migrate`."
    return f"The database does not fit this version: {problem}"


def fail(message: str) -> NoReturn:
    """Print a message and end the command with exit code 1."""
    typer.echo(message, err=True)
    raise typer.Exit(1)
