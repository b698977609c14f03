"""One pass of auto-renewal, expiry and release in this process, at a given instant (rules 20 to 24).

`run_now` makes the changes. `preview_run` plans them with the same planner and writes nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from renewals import config
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import chunks, due, renew, runs
from renewals.db import connection as database
from renewals.db import errors as db_errors
from renewals.db.models import RenewalRun
from renewals.domain import clock as clocks
from renewals.domain import errors, planning
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.instances import lifecycle


@dataclass(frozen=True, slots=True)
class RunNowResult:
    """A run, the numbers of instances expired and released after it, and the earlier runs that were finished first."""

    run: RenewalRun
    lapsed: lifecycle.LapseCounts
    finished: Sequence[RenewalRun]


@dataclass(frozen=True, slots=True)
class AccountPreview:
    """The predicted result of a run for one account, with amounts in cents and refusals counted by code.

    `error` is set if the planning of the account raises an error, in which case the run would park the account.
    """

    account_id: str
    due_count: int = 0
    renewed_count: int = 0
    voucher_cents: int = 0
    balance_cents: int = 0
    refusal_counts: Mapping[errors.RefusalCode, int] = field(default_factory=dict)
    expired_count: int = 0
    released_count: int = 0
    error: str | None = None

    @property
    def refused_count(self) -> int:
        """The number of refused instances, summed over all refusal codes."""
        return sum(self.refusal_counts.values())

    @property
    def total_cents(self) -> int:
        """The price of all renewals, paid by vouchers and balance."""
        return self.voucher_cents + self.balance_cents


@dataclass(frozen=True, slots=True)
class RunPreview:
    """The predicted result of a run at an instant, by account, and the earlier runs that it would finish first."""

    at: dt.datetime
    accounts: Sequence[AccountPreview]
    unfinished_run_ids: Sequence[int]


async def run_now(
    at: dt.datetime,
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> RunNowResult:
    """Finish earlier runs, then renew, expire and release instances as of the instant `at`.

    Raises InvalidInputError for a future instant, because the run would expire and release instances too early, and a
    release cannot be undone.
    """
    now = clock()
    if at > now:
        raise errors.InvalidInputError(
            "at",
            Message(
                "must not be after the current time, {now}; only a dry run can be in the future",
                now=now.isoformat(timespec="seconds"),
            ),
        )
    finished = await renew.renew_pending_runs(clock, on_chunk)
    run = await renew.run_at(at, clock, on_chunk)
    return RunNowResult(run, await lifecycle.expire_and_release(at), finished)


async def preview_run(at: dt.datetime) -> RunPreview:
    """Plan a run at any instant from the current data, without a write or a lock.

    Changes between now and that instant are not simulated; `renewals.forecasts` simulates the automatic renewals among
    them.
    """
    async with database.read_snapshot() as connection:
        due_counts = await due.count_due(connection, at)
        lapsed = await lifecycle.count_changes(connection, at)
        planned: dict[str, AccountPreview] = {}
        for account_ids, _ in chunks.split_into_chunks(due_counts, config.get_settings().instances_per_chunk):
            planned |= await _plan(connection, account_ids, due_counts, at)
        unfinished_run_ids = await runs.list_unfinished_ids_in(connection)
    previews = []
    for account_id in sorted(planned.keys() | lapsed.keys()):
        counts = lapsed.get(account_id, lifecycle.LapseCounts(0, 0))
        preview = planned.get(account_id, AccountPreview(account_id))
        previews.append(
            replace(preview, expired_count=counts.expired_count, released_count=counts.released_count)
        )
    return RunPreview(at, previews, unfinished_run_ids)


async def _plan(
    connection: database.Connection,
    account_ids: Sequence[str],
    due_counts: Mapping[str, int],
    at: dt.datetime,
) -> dict[str, AccountPreview]:
    """Plan accounts together; after an error, plan each account separately, as a run does with a failed chunk."""
    accounts = await accounts_repository.read_accounts(connection, account_ids)
    try:
        results_by_account = await renew.plan(connection, accounts, at)
    except Exception as error:
        if db_errors.is_unavailable(error):
            raise
        if len(account_ids) == 1:
            message = f"{type(error).__name__}: {error}"
            [account_id] = account_ids
            return {account_id: AccountPreview(account_id, due_counts[account_id], error=message)}
        planned: dict[str, AccountPreview] = {}
        for account_id in account_ids:
            planned |= await _plan(connection, [account_id], due_counts, at)
        return planned
    return {
        account_id: _sum_results(account_id, results) for account_id, results in results_by_account.items()
    }


def _sum_results(account_id: str, results: Sequence[planning.UnitResult]) -> AccountPreview:
    payments = [result.payment for result in results if result.payment is not None]
    return AccountPreview(
        account_id,
        due_count=sum(len(result.unit) for result in results),
        renewed_count=sum(len(result.lines) for result in results),
        voucher_cents=sum(payment.voucher_cents for payment in payments),
        balance_cents=sum(payment.balance_cents for payment in payments),
        refusal_counts=Counter(refusal.code for result in results for refusal in result.refusals),
    )
