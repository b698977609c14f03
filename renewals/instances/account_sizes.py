"""How large accounts are, counted now and then: what many requests cost depends on it."""

import asyncio
import time
from collections import OrderedDict
from typing import NamedTuple

from renewals.db import connection as database

FRESH_SECONDS = 60.0
"""A size is counted again when it is older; until then the one that is known is used."""
KEPT_SECONDS_MAX = 600.0
"""A size that is older is not used."""
ACCOUNTS_MAX = 10_000
COUNT_SECONDS_MAX = 10.0


class AccountSize(NamedTuple):
    """The number of an account's instances, of those that are AUTO, of its vouchers and its entries in the ledger."""

    instances: int = 0
    auto_instances: int = 0
    vouchers: int = 0
    ledger_entries: int = 0


OF_ACCOUNT = """
    SELECT count(*), count(*) FILTER (WHERE renewal_mode = 'AUTO'),
      (SELECT count(*) FROM vouchers WHERE account_id = $1),
      coalesce((SELECT ledger_number FROM accounts WHERE id = $1), 0)
    FROM instances WHERE account_id = $1
"""
LARGEST = """
    SELECT coalesce(max(n), 0), coalesce(max(autos), 0),
      coalesce((SELECT max(n) FROM (SELECT count(*) AS n FROM vouchers GROUP BY account_id) AS v), 0),
      coalesce((SELECT max(ledger_number) FROM accounts), 0)
    FROM (SELECT count(*) AS n, count(*) FILTER (WHERE renewal_mode = 'AUTO') AS autos
          FROM instances GROUP BY account_id) AS sizes
"""


class AccountSizes:
    """The sizes of the accounts that asked most recently, as this process has counted them."""

    def __init__(self) -> None:
        self._known: OrderedDict[str | None, tuple[float, AccountSize]] = OrderedDict()
        self._counting: dict[str | None, asyncio.Task[None]] = {}

    def known(self, account_id: str | None) -> AccountSize | None:
        """Return the size of an account if this process knows it; one that is no longer fresh is counted anew."""
        found = self._known.get(account_id)
        if found is None:
            return None
        age = time.monotonic() - found[0]
        if age >= FRESH_SECONDS:
            self._start(account_id)
        return found[1] if age < KEPT_SECONDS_MAX else None

    async def find(self, account_id: str | None) -> AccountSize:
        """Return the size of an account; of the largest for None, an operator, who may ask for any."""
        found = self.known(account_id)
        return found if found is not None else await self._count(account_id)

    def _start(self, account_id: str | None) -> None:
        if account_id not in self._counting:
            counting = asyncio.create_task(self._count_in_time(account_id))
            self._counting[account_id] = counting
            counting.add_done_callback(lambda task: self._end(account_id, task))

    async def _count_in_time(self, account_id: str | None) -> None:
        async with asyncio.timeout(COUNT_SECONDS_MAX):
            await self._count(account_id)

    async def _count(self, account_id: str | None) -> AccountSize:
        sql, values = (LARGEST, ()) if account_id is None else (OF_ACCOUNT, (account_id,))
        [row] = await database.fetch(database.pool(), sql, *values)
        size = AccountSize(*map(int, row))
        self._known[account_id] = (time.monotonic(), size)
        self._known.move_to_end(account_id)
        if len(self._known) > ACCOUNTS_MAX:
            self._known.popitem(last=False)
        return size

    def _end(self, account_id: str | None, task: "asyncio.Task[None]") -> None:
        self._counting.pop(account_id, None)
        if not task.cancelled():
            task.exception()  # a count that fails is made again by whoever asks next
