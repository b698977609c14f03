"""What exports and calendars cost, spent of a budget of the account's, whichever of its keys or tokens asks."""

import contextlib
from typing import NamedTuple

from graphql_api import errors
from graphql_api.limits import rate_limit
from renewals.instances import account_sizes
from schema.limits import weights, work


class Spending(NamedTuple):
    """The budgets of a process, and the sizes of accounts, which the costs depend on."""

    budgets: rate_limit.CostRateLimiter
    sizes: account_sizes.AccountSizes

    async def begin_export(self, account_id: str) -> None:
        """Spend what an export of a few thousand rows costs; raise errors.HTTPError if the budget is spent."""
        size = await self.sizes.find(account_id)
        scanned = int(weights.SEARCH * size.instances)
        await self._spend(account_id, max(weights.EXPORT_ROW * weights.EXPORT_ROWS_FREE, scanned))

    async def add_rows(self, account_id: str, count: int, total: int) -> None:
        """Spend what `count` more rows cost, after which there are `total`: what has begun is not refused any more."""
        charged = min(count, total - weights.EXPORT_ROWS_FREE)
        if charged > 0:
            with contextlib.suppress(errors.HTTPError):
                await self._spend(account_id, weights.EXPORT_ROW * charged)

    async def calendar(self, account_id: str, days: int) -> None:
        """Spend what a calendar costs; raise errors.HTTPError if the budget is spent."""
        size = await self.sizes.find(account_id)
        foreseen = work.forecast_work(size.auto_instances, 1 + days // 30)
        await self._spend(account_id, foreseen + int(weights.SCAN * size.instances))

    async def _spend(self, account_id: str, cost: int) -> None:
        await self.budgets.consume_request(f"account {account_id}", cost)
