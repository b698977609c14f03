"""The proxy that loses COMMITs: with one kind of loss the transaction is committed, with the other it is not."""

import asyncpg
import pytest

from tests.chaos.proxy import Loss, Proxy


@pytest.mark.parametrize(("loss", "expected_count"), [(Loss.ANSWER, 1), (Loss.REQUEST, 0)])
async def test_the_proxy_loses_a_commit_or_only_its_acknowledgement(
    empty_database_url: str, loss: Loss, expected_count: int
) -> None:
    async with Proxy(empty_database_url) as proxy:
        client = await asyncpg.connect(proxy.url)
        await client.execute("CREATE TABLE t (n int)")
        proxy.lose(loss, 1)
        async with client.transaction():
            assert await client.fetchval("SELECT 1") == 1
        assert proxy.lost == 0, "the proxy lost the COMMIT of a transaction that wrote nothing"
        with pytest.raises((asyncpg.PostgresConnectionError, asyncpg.InterfaceError, ConnectionError)):
            async with client.transaction():
                await client.execute("INSERT INTO t VALUES ($1)", 1)
        assert proxy.lost == 1
        assert client.is_closed()

        second_client = await asyncpg.connect(proxy.url)
        assert await second_client.fetchval("SELECT count(*) FROM t") == expected_count
        async with second_client.transaction():
            await second_client.execute("INSERT INTO t VALUES ($1)", 2)
        assert await second_client.fetchval("SELECT count(*) FROM t") == expected_count + 1
        await second_client.close()
    assert proxy.lost == 1
