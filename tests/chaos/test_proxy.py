"""The proxy that loses COMMITs: with one kind of loss the transaction is committed, with the other it is not."""

import asyncpg
import pytest

from tests.chaos.proxy import Loss, Proxy


@pytest.mark.parametrize(("loss", "written"), [(Loss.ANSWER, 1), (Loss.REQUEST, 0)])
async def test_a_lost_commit(empty_database_url: str, loss: Loss, written: int) -> None:
    async with Proxy(empty_database_url) as between:
        client = await asyncpg.connect(between.url)
        await client.execute("CREATE TABLE t (n int)")
        between.lose(loss, 1)
        async with client.transaction():
            assert await client.fetchval("SELECT 1") == 1
        assert between.lost == 0, "it wrote nothing"
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError)):
            async with client.transaction():
                await client.execute("INSERT INTO t VALUES ($1)", 1)
        assert between.lost == 1
        assert client.is_closed()

        again = await asyncpg.connect(between.url)
        assert await again.fetchval("SELECT count(*) FROM t") == written
        async with again.transaction():
            await again.execute("INSERT INTO t VALUES ($1)", 2)
        assert await again.fetchval("SELECT count(*) FROM t") == written + 1
        await again.close()
    assert between.lost == 1
