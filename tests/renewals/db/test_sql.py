"""SQL helpers: texts that PostgreSQL can store, and case-insensitive search."""

import time

import pytest

from renewals.db import connection as database
from renewals.db import sql as db_sql
from tests.support.fixtures import World

STORABLE = ["", "a", "网站", "é", "\U0001f600", "\x01", "\ud7ff", "\ue000"]
UNSTORABLE = ["\0", "a\0b", "\ud800", "网\udfff站", "\udbff"]


def test_only_texts_that_postgresql_cannot_store_are_omitted() -> None:
    assert db_sql.storable_texts(STORABLE) == STORABLE
    assert db_sql.storable_texts([*UNSTORABLE, *STORABLE, *UNSTORABLE]) == STORABLE
    assert db_sql.storable_texts(["\ud800", "\udc00"]) == [], (
        "two halves of a pair, in two texts, are no character"
    )
    assert [text for text in STORABLE + UNSTORABLE if not db_sql.is_storable(text)] == UNSTORABLE


@pytest.mark.parametrize(
    "ids", [[f"instance-{n}" for n in range(10_000)], [f"实例-{n}" for n in range(10_000)]]
)
def test_ten_thousand_ids_are_checked_within_two_milliseconds(ids: list[str]) -> None:
    """A check of each character in Python took 10 ms, and a call does several checks."""
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        db_sql.storable_texts(ids)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.002


SEARCHES = [
    ("éCLAIR", "Éclair", True),
    ("éCLAIR", "eclair", False),
    ("аДРЕС-1", "Адрес-1", True),
    ("ΣΊΣΥΦΟΣ", "σίσυφοσ", True),
    ("网站WEB", "网站web", True),
    ("É.", "éa", False),
    ("é*", "ÉÉÉ", False),
    ("[É](ß)", "x[é](ß)x", True),
    ("é\\\n^$|?+{1}", "É\\\n^$|?+{1}", True),
    ("É%_", "éab", False),
    ("É%_", "é%_", True),
    ("é" * 200, "É" * 200, True),
    ("\0", "\x01", False),
]


@pytest.mark.parametrize(
    ("search", "text", "is_found"), SEARCHES, ids=[f"{search[:2]!r:.40}" for search in SEARCHES]
)
async def test_a_search_matches_any_part_of_a_text_in_any_case_and_without_wildcards(
    world: World, search: str, text: str, is_found: bool
) -> None:
    """The result does not depend on the collations of the server."""
    conditions = db_sql.WhereClause()
    placeholder = conditions.bind(text)
    db_sql.add_search(conditions, search, f'({placeholder}::text COLLATE "C")')
    sql = f"SELECT {conditions.where} AS is_found WHERE {placeholder}::text IS NOT NULL"
    [row] = await database.fetch(database.pool(), sql, *conditions.values)
    assert row["is_found"] is is_found
