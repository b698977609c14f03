"""Cached sizes of accounts, on which the cost of a query depends."""

import asyncio
import datetime as dt
import time
from collections import OrderedDict
from typing import NamedTuple

from renewals.db import connection as database

FRESH_SECONDS = 60.0
"""The age from which a known size is counted again in the background."""
STALE_SECONDS_MAX = 600.0
"""The age from which a known size is no longer used."""
ACCOUNTS_MAX = 10_000
COUNT_SECONDS_MAX = 10.0


class AccountSize(NamedTuple):
    """The numbers of an account's instances, unreleased AUTO instances, vouchers, ledger entries and events.

    `test_clock` is not cached: each request for a test account sets it.
    """

    instances: int = 0
    auto_instances: int = 0
    vouchers: int = 0
    ledger_entries: int = 0
    events: int = 0
    test_clock: dt.datetime | None = None


COUNT_ACCOUNT = """
    SELECT unreleased + (SELECT count(*) FROM instances WHERE account_id = $1 AND status = 'RELEASED'), autos,
      (SELECT count(*) FROM vouchers WHERE account_id = $1),
      coalesce((SELECT ledger_number FROM accounts WHERE id = $1), 0),
      coalesce((SELECT last_sequence FROM event_streams WHERE account_id = $1), 0)
    FROM (SELECT count(*) AS unreleased, count(*) FILTER (WHERE renewal_mode = 'AUTO') AS autos
          FROM instances WHERE account_id = $1 AND status <> 'RELEASED') AS counted
"""
"""Released and other instances are counted separately, because there is a separate index for each of the two groups."""
COUNT_LARGEST = """
    SELECT coalesce(max(n), 0), coalesce(max(autos), 0),
      coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM vouchers GROUP BY account_id) AS v), 0),
      coalesce((SELECT max(ledger_number) FROM accounts), 0),
      coalesce((SELECT max(last_sequence) FROM event_streams), 0)
    FROM (SELECT count(*) AS n, count(*) FILTER (WHERE renewal_mode = 'AUTO' AND status <> 'RELEASED') AS autos
          FROM instances GROUP BY account_id) AS sizes
"""


class AccountSizes:
    """The sizes of the accounts that this process counted most recently."""

    def __init__(self) -> None:
        self._known: OrderedDict[str | None, tuple[float, AccountSize]] = OrderedDict()
        self._counting: dict[str | None, asyncio.Task[None]] = {}

    def known(self, account_id: str | None) -> AccountSize | None:
        """Return the cached size of an account, or None if there is no size that is younger than STALE_SECONDS_MAX.

        If the returned size is older than FRESH_SECONDS, it is counted again in the background.
        """
        cached = self._known.get(account_id)
        if cached is None or (age := time.monotonic() - cached[0]) >= STALE_SECONDS_MAX:
            return None
        if age >= FRESH_SECONDS:
            self._start(account_id)
        return cached[1]

    async def find(self, account_id: str | None) -> AccountSize:
        """Return the size of an account; if `account_id` is None (an operator), the largest counts of any account."""
        size = self.known(account_id)
        return size if size is not None else await self._count(account_id)

    def _start(self, account_id: str | None) -> None:
        if account_id not in self._counting:
            task = asyncio.create_task(self._count_with_timeout(account_id))
            self._counting[account_id] = task
            task.add_done_callback(lambda task: self._end(account_id, task))

    async def _count_with_timeout(self, account_id: str | None) -> None:
        async with asyncio.timeout(COUNT_SECONDS_MAX):
            await self._count(account_id)

    async def _count(self, account_id: str | None) -> AccountSize:
        sql, values = (COUNT_LARGEST, ()) if account_id is None else (COUNT_ACCOUNT, (account_id,))
        [row] = await database.fetch(database.pool(), sql, *values)
        instances, auto_instances, vouchers, ledger_entries, events = map(int, row)
        size = AccountSize(instances, auto_instances, vouchers, ledger_entries, events)
        self._known[account_id] = (time.monotonic(), size)
        self._known.move_to_end(account_id)
        if len(self._known) > ACCOUNTS_MAX:
            self._known.popitem(last=False)
        return size

    def _end(self, account_id: str | None, task: "asyncio.Task[None]") -> None:
        self._counting.pop(account_id, None)
        if not task.cancelled():
            task.exception()  # retrieved, so that asyncio does not log it; the next request counts again
