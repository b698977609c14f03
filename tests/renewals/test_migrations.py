"""The migrations: they make what the models say, once, however many migrate at a time."""

import asyncio
import sys
from pathlib import Path

import pytest
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

from renewals import database, migrations
from tests.world import World

WITHOUT_MODEL = {
    "events",
    "event_streams",
    "reminders",
    "account_watches",
    "webhook_endpoints",
    "webhook_secrets",
    "webhook_cursors",
    "webhook_deliveries",
    "webhook_states",
    "refunds",
    "refund_lines",
}
NAMES = sorted(path.stem for path in Path(migrations.__path__[0]).glob("0*.py"))

# A process of its own, because a process has one pool.
MIGRATOR = """
import asyncio, sys
from renewals import database
print(*asyncio.run(database.migrate(sys.argv[1])))
"""


async def start_migrator(url: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, "-c", MIGRATOR, url, stdout=pipe, stderr=pipe)


async def test_models_and_migrations_agree(opened: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Tortoise.apps is not None
    for model in Tortoise.apps["renewals"].values():
        for name in model._meta.fk_fields:
            # Tortoise replaces a relation's column by its attribute, and then takes that for a change.
            field = model._meta.fields_map[name]
            column = model._meta.fields_db_projection[field.source_field]
            monkeypatch.setattr(field, "source_field", column)
    detector = MigrationAutodetector(Tortoise.apps, database.configuration(opened)["apps"])
    missing = [operation for change in await detector.changes() for operation in change.operations]
    assert missing == [], "a model has moved on without a migration"


async def test_every_column_of_a_model_is_in_the_database_and_no_other(world: World) -> None:
    assert Tortoise.apps is not None
    said = {
        (model._meta.db_table, column, field.null)
        for model in Tortoise.apps["renewals"].values()
        for field in model._meta.fields_map.values()
        if (column := model._meta.fields_db_projection.get(field.model_field_name))
    }
    found = await world.rows("""SELECT table_name, column_name, is_nullable = 'YES'
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'tortoise_migrations'""")
    assert said == {column for column in found if column[0] not in WITHOUT_MODEL}


async def test_an_empty_database_is_brought_up_to_date(empty_database_url: str) -> None:
    assert await database.migrate(empty_database_url) == NAMES


async def test_migrating_twice_applies_nothing(database_url: str) -> None:
    assert await database.migrate(database_url) == []
    assert await database.migrate(database_url) == []


async def test_of_two_migrators_at_once_one_does_the_work_and_both_succeed(empty_database_url: str) -> None:
    started = [await start_migrator(empty_database_url) for _ in range(2)]
    ended = await asyncio.gather(*(process.communicate() for process in started))
    assert [said.decode() for _, said in ended] == ["", ""]
    assert [process.returncode for process in started] == [0, 0]
    assert sorted(applied.decode().split() for applied, _ in ended) == [[], NAMES]
