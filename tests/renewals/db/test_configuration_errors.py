"""Errors of PostgreSQL that the configuration causes have a message with the remedy, and other errors have none."""

import asyncpg
import pytest

from renewals.db import configuration_errors

MISSING = 'extension "nothing" is not available'


async def test_a_missing_extension_is_explained(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        with pytest.raises(asyncpg.PostgresError) as raised:
            await connection.execute("CREATE EXTENSION nothing")
    finally:
        await connection.close()
    assert configuration_errors.summarize(raised.value) == configuration_errors.NO_EXTENSION
    sentence = configuration_errors.explain(raised.value)
    assert sentence and sentence.startswith("PostgreSQL lacks a contrib extension: ")
    assert "Install the package postgresql-contrib" in sentence


@pytest.mark.parametrize(
    ("state", "file", "summary"),
    [
        ("58P01", "extension.c", configuration_errors.NO_EXTENSION),
        ("0A000", "extension.c", configuration_errors.NO_EXTENSION),
        ("0A000", "parse_clause.c", None),
    ],
)
def test_a_missing_extension_is_recognized_before_and_since_postgresql_15(
    state: str, file: str, summary: str | None
) -> None:
    error = asyncpg.PostgresError.new({"C": state, "M": MISSING, "F": file})
    assert configuration_errors.summarize(error) == summary
    assert (configuration_errors.explain(error) is None) is (summary is None)


@pytest.mark.parametrize(
    ("message", "is_refusal"),
    [
        ("unsupported startup parameter: lock_timeout", True),
        ("no such database: nothing", True),
        ("query_wait_timeout", False),
        ("server login has been failing, try again later (server_login_retry)", False),
        ("server login has been failing, cached error: connect failed (server_login_retry)", False),
        ("client_login_timeout (server down)", False),
        ('server login has been failing, cached error: password authentication failed for user "r"', True),
    ],
)
def test_only_a_refusal_by_a_pooler_is_explained_and_not_the_outage_of_its_server(
    message: str, is_refusal: bool
) -> None:
    error = asyncpg.PostgresError.new({"C": "08P01", "M": message})
    assert (configuration_errors.summarize(error) == configuration_errors.POOLER_REFUSED) is is_refusal
    sentence = configuration_errors.explain(error)
    assert ("Name PostgreSQL itself" in sentence if sentence else False) is is_refusal
