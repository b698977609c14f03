"""One run on a given clock, here and now: renew what is due, then expire and release (rules 20 to 24).

`run` does it; `preview` plans the same with the same planner, and writes nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from renewals import config
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import due, renew, runs
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain import errors, planning
from renewals.domain.clock import Clock
from renewals.instances import lifecycle


@dataclass(frozen=True, slots=True)
class RunNowResult:
    """A run, what expired and was released after it, and the earlier runs that it ended."""

    run: runs.Run
    lapsed: lifecycle.LapseCounts
    finished: Sequence[runs.Run]


@dataclass(frozen=True, slots=True)
class AccountPreview:
    """What a run would do with one account; amounts in cents, refused instances counted by code.

    With an error the account would be parked: its data makes the planner raise.
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
        return sum(self.refusal_counts.values())

    @property
    def total_cents(self) -> int:
        return self.voucher_cents + self.balance_cents


@dataclass(frozen=True, slots=True)
class RunPreview:
    """What a run at an instant would do, by account, and the earlier runs that it would end first."""

    at: dt.datetime
    accounts: Sequence[AccountPreview]
    unfinished_run_ids: Sequence[int]


async def run_now(
    at: dt.datetime,
    clock: Clock = clocks.utc_now,
    on_chunk: Callable[[int, int], None] = lambda done, total: None,
) -> RunNowResult:
    """Finish earlier runs, then do a whole run; raises InvalidInputError for an instant in the future.

    On a future clock, instances that still run would expire and be released, and nothing brings those back.
    """
    now = clock()
    if at > now:
        raise errors.InvalidInputError(
            "at",
            f"{at.isoformat()} is in the future, as it is {now.isoformat(timespec='seconds')} now: "
            "a run would expire and release instances before their time, and only a dry run takes such a clock",
        )
    finished = await renew.renew_pending_runs(clock, on_chunk)
    done = await renew.run_at(at, clock, on_chunk)
    return RunNowResult(done, await lifecycle.expire_and_release(at), finished)


async def preview_run(at: dt.datetime) -> RunPreview:
    """Plan a run at any instant on what is there now; write nothing, lock nothing.

    Nothing is foreseen of the time until then: `forecast` is for that.
    """
    async with database.read_snapshot() as connection:
        due_counts = await due.count_due(connection, at)
        lapsed = await lifecycle.count_changes(connection, at)
        planned: dict[str, AccountPreview] = {}
        for account_ids, _ in runs.split_into_chunks(due_counts, config.get_settings().instances_per_chunk):
            planned |= await _plan(connection, account_ids, due_counts, at)
        unfinished = await runs.read_unended(connection)
    found = []
    for account_id in sorted(planned.keys() | lapsed.keys()):
        counts = lapsed.get(account_id, lifecycle.LapseCounts(0, 0))
        of_account = planned.get(account_id, AccountPreview(account_id))
        found.append(
            replace(of_account, expired_count=counts.expired_count, released_count=counts.released_count)
        )
    return RunPreview(at, found, unfinished)


async def _plan(
    connection: database.Connection,
    account_ids: Sequence[str],
    due_counts: Mapping[str, int],
    at: dt.datetime,
) -> dict[str, AccountPreview]:
    """Plan some accounts together or, where that raises, each by itself, as a run sets a chunk aside."""
    accounts = await accounts_repository.read_accounts(connection, account_ids)
    try:
        outcomes = await renew.plan(connection, accounts, at)
    except Exception as error:
        if database.is_unavailable(error):
            raise
        if len(account_ids) == 1:
            message = f"{type(error).__name__}: {error}"
            [account_id] = account_ids
            return {account_id: AccountPreview(account_id, due_counts[account_id], error=message)}
        planned: dict[str, AccountPreview] = {}
        for account_id in account_ids:
            planned |= await _plan(connection, [account_id], due_counts, at)
        return planned
    return {account_id: _sum(account_id, of_account) for account_id, of_account in outcomes.items()}


def _sum(account_id: str, outcomes: Sequence[planning.UnitResult]) -> AccountPreview:
    payments = [outcome.payment for outcome in outcomes if outcome.payment is not None]
    return AccountPreview(
        account_id,
        due_count=sum(len(outcome.unit) for outcome in outcomes),
        renewed_count=sum(len(outcome.lines) for outcome in outcomes),
        voucher_cents=sum(payment.voucher_cents for payment in payments),
        balance_cents=sum(payment.balance_cents for payment in payments),
        refusal_counts=Counter(refusal.code for outcome in outcomes for refusal in outcome.refusals),
    )
