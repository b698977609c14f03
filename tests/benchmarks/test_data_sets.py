"""The benchmarks' data sets fit the database schema; otherwise a migration could break `make bench` unnoticed."""

import dataclasses

import asyncpg

from benchmarks import data, history, sizes
from benchmarks.engine import night
from renewals import integrity
from renewals.db import connection as database

SMALL = dataclasses.replace(sizes.QUICK, instances=100, accounts=2, large_account_instances=50)


async def test_the_data_of_the_read_benchmarks_pass_the_integrity_checks(database_url: str) -> None:
    loaded = await data.load(database_url, SMALL)
    assert loaded.key
    await _verify(database_url, instances=100)


async def test_the_data_of_the_history_benchmark_pass_the_integrity_checks(database_url: str) -> None:
    await data.load(database_url, SMALL)
    await history.add(database_url)
    await _verify(database_url, instances=100)


async def test_the_data_of_the_night_benchmark_pass_the_integrity_checks(database_url: str) -> None:
    await night.fill(database_url, 6)
    await _verify(database_url, instances=6 * 2 * night.DUE_PER_ACCOUNT)


async def _verify(url: str, *, instances: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM instances") == instances
    finally:
        await connection.close()
    async with database.connect(url, pool_size=2):
        broken = await integrity.check_invariants()
    assert {rule: damages for rule, damages in broken.items() if damages} == {}
