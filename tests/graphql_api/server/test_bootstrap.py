"""A command that fails prints the true cause in one line, with the remedy if there is one."""

import errno
import socket

import asyncpg
import pytest
import typer

from graphql_api.server import bootstrap
from tests.support.cli import Renewals

BIND = "Permission denied (while attempting to bind on address ('127.0.0.1', 80))"
PROBLEMS = {
    "a privileged port": (
        PermissionError(errno.EACCES, BIND),
        f"Cannot listen: {BIND}. Choose another address or port.",
    ),
    "an unknown host": (
        socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
        "A host name cannot be resolved: Name or service not known. Check DATABASE_URL and the name server.",
    ),
    "an address that this machine cannot reach": (
        OSError(errno.EADDRNOTAVAIL, "Connect call failed ('::1', 5432, 0, 0)"),
        "A server cannot be reached: [Errno 99] Connect call failed ('::1', 5432, 0, 0)",
    ),
    "a full disk of this machine": (
        OSError(errno.ENOSPC, "No space left on device"),
        "No space left on device. Free disk space on this machine.",
    ),
    "too many open files": (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
    "a deadlock": (
        asyncpg.DeadlockDetectedError("deadlock detected\nProcess 1 waits"),
        "PostgreSQL cannot do this now: deadlock detected. Remove the cause, or try again later.",
    ),
    "a statement that took too long": (
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        (
            "PostgreSQL cannot do this now: canceling statement due to statement timeout. "
            "Remove the cause, or try again later."
        ),
    ),
    "a full disk of the server": (
        asyncpg.DiskFullError("could not extend file: No space left on device"),
        (
            "PostgreSQL cannot do this now: could not extend file: No space left on device. "
            "Remove the cause, or try again later."
        ),
    ),
    "a server that does not listen": (
        ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)"),
        "A server cannot be reached: [Errno 111] Connect call failed ('127.0.0.1', 1)",
    ),
    "a server that starts": (
        asyncpg.CannotConnectNowError("the database system is starting up"),
        "A server cannot be reached: the database system is starting up",
    ),
    "a lost connection": (
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        "A server cannot be reached: connection was closed in the middle of operation",
    ),
}


@pytest.mark.parametrize("cause", PROBLEMS)
def test_only_a_server_that_does_not_answer_is_reported_as_unreachable(
    cause: str, capsys: pytest.CaptureFixture[str]
) -> None:
    problem, sentence = PROBLEMS[cause]

    async def fail() -> None:
        raise problem

    with pytest.raises(typer.Exit) as ended:
        bootstrap.run(fail())
    assert (ended.value.exit_code, capsys.readouterr().err) == (1, f"{sentence}\n")


@pytest.mark.parametrize("command", [("migrate",), ("verify",)])
def test_an_unknown_host_of_postgresql_is_named_as_the_cause(
    renewals: Renewals, command: tuple[str, ...]
) -> None:
    done = renewals(*command, DATABASE_URL="postgres://app@nowhere.invalid/x")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("A host name cannot be resolved: ")


def test_mcp_at_an_unknown_host_cannot_listen(renewals: Renewals) -> None:
    done = renewals("mcp", "--transport", "http", "--host", "nowhere.invalid")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("Cannot listen: ")
