"""The costs of exports and calendars, deducted from a budget that all keys and tokens of an account share."""

import contextlib
from typing import NamedTuple

from graphql_api import errors
from graphql_api.limits import rate_limit
from renewals.instances import account_sizes
from schema.limits import field_work, weights


class ExportCosts(NamedTuple):
    """The rate limiter of a process, and the sizes of accounts that the costs depend on."""

    budgets: rate_limit.CostRateLimiter
    sizes: account_sizes.AccountSizes

    async def begin_export(self, account_id: str) -> None:
        """Deduct from the budget the cost of an export's search or of its first rows, whichever is larger.

        Raises HTTPError if too little of the budget is left.
        """
        size = await self.sizes.find(account_id)
        scanned = int(weights.SEARCH * size.instances)
        await self._spend(account_id, max(weights.EXPORT_ROW * weights.EXPORT_ROWS_FREE, scanned))

    async def add_rows(self, account_id: str, count: int, total: int) -> None:
        """Deduct the cost of an export's latest `count` rows from the budget; never refuse the running export.

        If too little of the budget is left, nothing is deducted. `total` is the number of the export's rows so far.
        `begin_export` has deducted the cost of the first EXPORT_ROWS_FREE rows.
        """
        charged = min(count, total - weights.EXPORT_ROWS_FREE)
        if charged > 0:
            with contextlib.suppress(errors.HTTPError):
                await self._spend(account_id, weights.EXPORT_ROW * charged)

    async def begin_calendar(self, account_id: str, days: int) -> None:
        """Deduct the cost of a calendar from the budget. Raises HTTPError if too little is left."""
        size = await self.sizes.find(account_id)
        forecast_cost = field_work.forecast_work(size.auto_instances, 1 + days // 30)
        await self._spend(account_id, forecast_cost + int(weights.SCAN * size.instances))

    async def _spend(self, account_id: str, cost: int) -> None:
        await self.budgets.consume_request(f"account {account_id}", cost)
