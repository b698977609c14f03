"""Streams of rows: the next rows are read while the caller uses the current ones."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from renewals.db.connection import Connection, Row


async def stream_rows(
    connection: Connection, sql: str, *values: object, size: int
) -> AsyncGenerator[Sequence[Row], None]:
    """Yield the rows of a statement, `size` at a time, in the caller's transaction.

    PostgreSQL reads the next rows while the caller uses the current ones, so the caller must not use the connection
    during the iteration. If the caller ends the iteration early, the cancelled read can abort the transaction.
    """
    async with connection.acquire_connection() as raw:
        # The connection's own `cursor` would name its statement even if prepared statements are switched off.
        cursor = await (await raw.prepare(sql)).cursor(*values)
        fetching = asyncio.create_task(cursor.fetch(size))
        try:
            while page := await fetching:
                fetching = asyncio.create_task(cursor.fetch(size))
                yield page
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
