"""Rows of a statement that are read while the last ones are used."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from renewals.db.connection import Connection, Row


async def stream_rows(
    connection: Connection, sql: str, *values: object, size: int
) -> AsyncGenerator[Sequence[Row], None]:
    """Yield the rows of a statement, `size` at a time, in the caller's transaction.

    PostgreSQL reads the next rows while the caller uses the last ones, so the caller must not use the connection
    meanwhile. If the caller ends the iteration early, the transaction may be aborted.
    """
    async with connection.acquire_connection() as raw:
        # The connection's own `cursor` names its statement even where names are not allowed.
        cursor = await (await raw.prepare(sql)).cursor(*values)
        fetching = asyncio.create_task(cursor.fetch(size))
        try:
            while page := await fetching:
                fetching = asyncio.create_task(cursor.fetch(size))
                yield page
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
