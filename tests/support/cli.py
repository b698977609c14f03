"""The command line for tests. Each command runs in this process, and tests check its effect in the database."""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from graphql_api.cli import main, output_language
from renewals import config
from renewals.domain import clock as clocks

Renewals = Callable[..., Result]


@pytest.fixture
def renewals(monkeypatch: pytest.MonkeyPatch) -> Iterator[Renewals]:
    """Run a command in this process, with the clock at `now` and with `stdin_text` as its standard input."""

    def run(
        *arguments: str, now: dt.datetime | None = None, stdin_text: str = "", **variables: str
    ) -> Result:
        with monkeypatch.context() as patched:
            for name in output_language.VARIABLES:  # so that the output is in English
                patched.delenv(name, raising=False)
            for name, value in variables.items():
                patched.setenv(name, value)
            if now is not None:
                patched.setattr(clocks, "utc_now", lambda: now)
            config.get_settings.cache_clear()
            return CliRunner().invoke(main.app, arguments, input=stdin_text)

    handlers = logging.root.handlers[:]
    yield run
    logging.root.handlers[:] = handlers  # a command configures logging, which must not affect later tests
    config.get_settings.cache_clear()


def query(url: str, sql: str) -> list[tuple[Any, ...]]:
    async def fetch() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(url)
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(fetch())
