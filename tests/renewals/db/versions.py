"""The versions of the schema, and what a database held at each of them.

await versions.migrate_to(url, versions.NAMES[0])
await versions.put_rows(connection, versions.NAMES[0])
"""

from pathlib import Path

import asyncpg
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget

from renewals.db import connection as database
from renewals.db import migrations

NAMES = sorted(path.stem for path in Path(migrations.__path__[0]).glob("0*.py"))
_ROWS = Path(__file__).parent / "rows"


async def migrate_to(url: str, name: str) -> None:
    """Brings a database up to a migration, and no further."""
    async with database.connect(url, pool_size=1):
        executor = MigrationExecutor(database.pool(), database.configuration(url)["apps"])
        await executor.migrate([MigrationTarget(database.APP, name)])


async def put_rows(connection: asyncpg.Connection, name: str) -> None:
    """Writes what a database could hold from a migration on: `rows/` has a file of its name if that is anything new."""
    rows = _ROWS / f"{name}.sql"
    if rows.exists():
        await connection.execute(rows.read_text(encoding="utf-8"))
