"""Due work during faults, and the check that each instance was charged exactly once.

A batch has several accounts, each with two single instances and a bundle of two that are due. Most accounts can pay for
all four with a voucher and the balance. By default, every fourth account can pay for only one of them.
"""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from tortoise import exceptions

from renewals import integrity
from renewals.db import connection as database
from tests.support import fixtures

POLL_SECONDS = 0.01
VOUCHER_CENTS = 5_00
RICH_CENTS, RICH_AFTER_CENTS = 100_00, 65_00
POOR_CENTS, POOR_AFTER_CENTS = 15_00, 5_00
PRICE = "10.00"


@dataclass(frozen=True)
class Batch:
    """The instances that must be charged exactly once, and the final balance of each account in cents."""

    ids: Sequence[str]
    accounts: Mapping[str, int]


def together(batches: Iterable[Batch]) -> Batch:
    """Combine several batches into one, to check them together."""
    all_ids = list(batches)
    ids = [instance_id for batch in all_ids for instance_id in batch.ids]
    return Batch(ids, {account: cents for batch in all_ids for account, cents in batch.accounts.items()})


@dataclass(frozen=True)
class Verdict:
    """Uncharged periods, excess periods and money, and the violated rules of `integrity`."""

    lost: int
    doubled: int
    broken: tuple[str, ...]


class Work:
    """Batches in the open database, in a time zone where it is now about noon, so that the day does not end soon."""

    def __init__(self) -> None:
        now = dt.datetime.now(dt.UTC)
        east = 12 - now.hour
        self.zone = f"Etc/GMT{-east:+}"
        self.today = (now + dt.timedelta(hours=east)).date()
        self.world = fixtures.World()
        self._count = 0

    @classmethod
    async def begun(cls) -> "Work":
        """Create the catalog and return the work."""
        work = cls()
        await work.world.put_catalogue()
        return work

    def day(self, days: int) -> str:
        """Return the ISO date this many days after today."""
        return (self.today + dt.timedelta(days=days)).isoformat()

    async def put(
        self, count: int = 4, *, poor_each: int = 4, expires_in_days: int = 0, mode: str = "AUTO"
    ) -> Batch:
        """Create `count` accounts whose instances expire in the given days; every `poor_each`-th account is poor."""
        accounts: dict[str, int] = {}
        charged: list[str] = []
        for number in range(count):
            self._count += 1
            account, is_poor = f"a{self._count:06}", number % poor_each == poor_each - 1
            await self.world.account(
                account, balance=f"{(POOR_CENTS if is_poor else RICH_CENTS) / 100:.2f}", zone=self.zone
            )
            options = {"account": account, "expires": self.day(expires_in_days), "mode": mode, "price": PRICE}
            singles = await self.world.instances([f"{account}-1", f"{account}-2"], **options)
            pair = await self.world.instances(
                [f"{account}-3", f"{account}-4"], bundle=f"{account}-b", product="kec", **options
            )
            if is_poor:
                charged.append(singles[0])
                accounts[account] = POOR_AFTER_CENTS
            else:
                await self.world.voucher(f"{VOUCHER_CENTS / 100:.2f}", account=account, expires=self.day(9))
                charged += singles + pair
                accounts[account] = RICH_AFTER_CENTS
        return Batch(charged, accounts)

    async def charged_count(self, batch: Batch) -> int:
        """Return the number of instances of the batch that have an order line."""
        sql = "SELECT count(DISTINCT instance_id) FROM order_lines WHERE instance_id = ANY($1)"
        return int(await self.world.value(sql, list(batch.ids)))

    async def is_done(self, batch: Batch) -> bool:
        """Return whether the whole batch is charged and all runs have ended."""
        open_runs = "SELECT count(*) FROM renewal_runs WHERE ended_at IS NULL"
        return await self.charged_count(batch) == len(batch.ids) and not await self.world.value(open_runs)

    async def judge(self, batch: Batch, *, at_rest: bool = True) -> Verdict:
        """Return the problems of a batch. Unless it is `at_rest`, a missing charge is no problem."""
        rows = await self.world.rows(
            """SELECT l.instance_id, count(*) FROM order_lines l JOIN instances i ON i.id = l.instance_id
               WHERE i.account_id = ANY($1) GROUP BY 1""",
            list(batch.accounts),
        )
        lines: dict[str, int] = dict(rows)
        doubled = sum(count - (instance_id in batch.ids) for instance_id, count in lines.items())
        lost = len(set(batch.ids) - lines.keys()) if at_rest else 0
        if at_rest and not lost:
            sql = "SELECT id, balance_cents FROM accounts WHERE id = ANY($1)"
            for account, cents in await self.world.rows(sql, list(batch.accounts)):
                doubled += cents < batch.accounts[account]
                lost += cents > batch.accounts[account]
        broken = [rule for rule, rows in (await integrity.check_invariants()).items() if rows]
        return Verdict(lost, doubled, tuple(broken))

    async def evidence(self) -> list[str]:
        """Return the unfinished work in the database: runs, chunks, and sessions with the locks that they wait for."""
        rows_as_text = []
        for sql in (
            "SELECT id, trigger, started_at FROM renewal_runs WHERE ended_at IS NULL",
            """SELECT run_id, number, account_ids, done_at, error FROM renewal_chunks
               WHERE done_at IS NULL OR error IS NOT NULL""",
            """SELECT pid, state, wait_event, now() - state_change, pg_blocking_pids(pid), left(query, 60)
               FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()""",
        ):
            rows_as_text += [str(row) for row in await self.world.rows(sql)]
        return rows_as_text

    async def retire(self, batch: Batch) -> None:
        """Exclude the unpaid instances from later runs."""
        sql = "UPDATE instances SET renewal_mode = 'MANUAL' WHERE account_id = ANY($1)"
        await database.execute(database.pool(), sql, list(batch.accounts))


async def until(condition: Callable[[], Awaitable[object]], seconds: float) -> float | None:
    """Wait for a condition, also while the database is down. Return the seconds waited, or None after `seconds`."""
    started_at = time.monotonic()
    while time.monotonic() - started_at < seconds:
        with suppressed_outage():
            if await condition():
                return time.monotonic() - started_at
        await asyncio.sleep(POLL_SECONDS)
    return None


def suppressed_outage() -> contextlib.AbstractContextManager[None]:
    """Suppress the errors of statements while PostgreSQL is down or restarting."""
    return contextlib.suppress(
        OSError,
        asyncpg.PostgresConnectionError,
        asyncpg.InterfaceError,
        asyncpg.OperatorInterventionError,
        exceptions.DBConnectionError,
    )
