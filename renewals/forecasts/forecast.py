"""The forecast of an account, which `simulation` computes from a snapshot unless it is in the cache.

Nothing is written and nothing is locked.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Generic, NamedTuple, TypeVar, cast

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.auto_renewal import due
from renewals.compute import process_pool
from renewals.db import connection as database
from renewals.db import pool, replica
from renewals.domain import errors, limits, model, validation
from renewals.forecasts import cache, simulation
from renewals.forecasts.simulation import AccountSnapshot, Forecast
from renewals.instances import filters
from renewals.instances import repository as instances_repository

Value = TypeVar("Value")

HORIZONS = (31, 92, 183, limits.FORECAST_DAYS_MAX)
"""The numbers of days to simulate; a requested number is rounded up to one of them, so that requests share results."""
RENEWALS_IN_PLACE_MAX = 300
"""The maximum number of renewals, by the estimate of `find_or_compute`, to simulate in the API's process.

If there is no process pool, there is no maximum. 300 renewals block the event loop for about 10 ms, and up to twice as
many can be simulated.
"""


async def read_forecast(account_id: str, days: int, now: dt.datetime) -> Forecast:
    """Return the account's forecast. Raises InvalidInputError if `days` is out of bounds (rule 26)."""
    if not 1 <= days <= limits.FORECAST_DAYS_MAX:
        raise errors.InvalidInputError("days", validation.between(days, 1, limits.FORECAST_DAYS_MAX))
    async with pool.computing():
        result = await _read(account_id, days, now, renewals_max=in_place_max())
        if result is None:
            return await process_pool.run(account_id, read_whole_forecast, account_id, days, now)
        return result


async def read_whole_forecast(account_id: str, days: int, now: dt.datetime) -> Forecast:
    """Compute the account's forecast in this process, whatever the number of renewals, and return the forecast."""
    result = await _read(account_id, days, now, renewals_max=None)
    assert result is not None
    return result


async def _read(account_id: str, days: int, now: dt.datetime, *, renewals_max: int | None) -> Forecast | None:
    async with replica.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        ahead = await find_or_compute(
            connection, account, simulation.look_ahead, days, now, renewals_max=renewals_max
        )
    return None if ahead is None else ahead.value.until(days)


def in_place_max() -> int | None:
    """Return how many renewals this process may simulate, or None (no limit) if there is no process pool."""
    return RENEWALS_IN_PLACE_MAX if process_pool.is_open() else None


class SnapshotKey(NamedTuple):
    """All inputs of a simulation except the number of days; a count and a hash represent the instances.

    The key contains the current day and the time of the next hourly run, before which no run is simulated, but not the
    current time.
    """

    account: model.Account
    today: dt.date
    first_run_at: dt.datetime
    products: Mapping[str, model.Product]
    vouchers: tuple[model.Voucher, ...]
    instance_count: int
    instances_hash: str


class ComputedForecast(NamedTuple, Generic[Value]):
    """A computed value, and the products with which it was computed."""

    products: Mapping[str, model.Product]
    value: Value


_cache: cache.ForecastCache[SnapshotKey] = cache.ForecastCache()


async def find_or_compute(
    connection: database.Connection,
    account: model.Account,
    compute: Callable[[AccountSnapshot, int, dt.datetime], Value],
    days: int,
    now: dt.datetime,
    *,
    renewals_max: int | None,
) -> ComputedForecast[Value] | None:
    """Return the result of `compute` for at least `days` days, from the cache if the inputs are unchanged.

    `compute` must be pure, and the connection must hold a snapshot. Return None if the computation would exceed
    `renewals_max` renewals by an estimate, which is one renewal of each instance in every 31 days. An instance can have
    one renewal more, for example on 1 February and on 1 March, so the computation has at most twice as many renewals.
    """
    horizon = next(horizon for horizon in HORIZONS if horizon >= days)
    instances_max = None if renewals_max is None else renewals_max // -(-horizon // HORIZONS[0])
    snapshot_key = await _read_key(connection, account, horizon, now, instances_max=instances_max)
    if snapshot_key is None:
        return None
    cache_key = (compute.__qualname__, account.id, horizon)
    value = _cache.find(cache_key, snapshot_key)
    if value is None:
        instances = await _read_instances(connection, account, horizon, now)
        snapshot = AccountSnapshot(account, snapshot_key.products, instances, snapshot_key.vouchers)
        value = compute(snapshot, horizon, now)
        _cache.store(cache_key, snapshot_key, snapshot_key.instance_count, value)
    return ComputedForecast(snapshot_key.products, cast(Value, value))


async def _read_key(
    connection: database.Connection,
    account: model.Account,
    days: int,
    now: dt.datetime,
    *,
    instances_max: int | None,
) -> SnapshotKey | None:
    """Return the key of a simulation, or None if the simulation has more than `instances_max` instances.

    At most `instances_max + 1` instances are read.
    """
    [row] = await database.fetch(
        connection,
        f"""SELECT count(*), coalesce(sum(hash_record_extended(ROW({instances_repository.COLUMNS}), 0)), 0)::text
            FROM (SELECT * FROM instances i WHERE {_DUE_BETWEEN} LIMIT $4) i""",
        account.id,
        now,
        simulation.last_expiry(account, days, now),
        None if instances_max is None else instances_max + 1,
    )
    if instances_max is not None and row[0] > instances_max:
        return None
    usable = await vouchers.read_usable(connection, [account.id], now)
    return SnapshotKey(
        account,
        now.astimezone(account.zone).date(),
        due.next_run_at(account, now),
        await catalog.read_products(connection),
        tuple(sorted(usable[account.id], key=lambda voucher: voucher.id)),
        *row,
    )


async def read_snapshot(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> AccountSnapshot:
    """Return the inputs of a simulation of `days` days."""
    instances = await _read_instances(connection, account, days, now)
    products = await catalog.read_products(connection)
    usable = await vouchers.read_usable(connection, [account.id], now)
    return AccountSnapshot(account, products, instances, usable[account.id])


_DUE_BETWEEN = f"""i.account_id = $1 AND i.renewal_mode = 'AUTO' AND i.status = 'RUNNING'
  AND {filters.EXPIRY} BETWEEN $2 AND $3"""
"""SQL condition: running AUTO instances of account $1 that expire between $2 and $3."""


async def _read_instances(
    connection: database.Connection, account: model.Account, days: int, now: dt.datetime
) -> list[model.Instance]:
    rows = await database.fetch(
        connection,
        f"SELECT {instances_repository.COLUMNS} FROM instances i WHERE {_DUE_BETWEEN}",
        account.id,
        now,
        simulation.last_expiry(account, days, now),
    )
    return [model.Instance._make(row) for row in rows]
