"""What the command line says of runs, of their attempts, and of what does not add up."""

import datetime as dt
from collections.abc import Iterator, Sequence

from renewals import integrity
from renewals.auto_renewal import runs
from renewals.domain import money
from renewals.operators import run_now


def format_run(run: runs.Run, parked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A run, who is parked in it, and what was broken after it."""
    yield _describe(run)
    for account_id, error in parked:
        yield f"  parked {account_id}: {error}"
    for rule in run.broken_rules or ():
        yield f"  BROKEN {rule}"


def format_result(result: run_now.RunNowResult, at: dt.datetime) -> Iterator[str]:
    """What `run-now` did at an instant, after the earlier runs that it ended."""
    for run in result.finished:
        yield f"run {run.id}, which was cut short, is ended: {_counts(run)}"
    yield (
        f"run {result.run.id} at {at.isoformat()}: {_counts(result.run)}, "
        f"{result.lapsed.expired_count} expired, {result.lapsed.released_count} released"
    )


def format_attempts(attempts: Sequence[runs.Attempt], count: int) -> Iterator[str]:
    """So many attempts with their price or their reason, and a word if there are more."""
    for attempt in attempts[:count]:
        yield f"  {attempt.account_id}  {attempt.instance_id}  {_result(attempt)}"
    if attempts[count:]:
        yield f"  ... the first {count}: choose by --account and --failed, or more by --count"


def format_rule(rule: str, damages: Sequence[integrity.Violation]) -> Iterator[str]:
    """A rule, and the rows that break it."""
    yield f"{'BROKEN' if damages else 'ok':<8}{rule}"
    for damage in damages:
        yield "        " + ", ".join(f"{name}={value}" for name, value in damage.items())


def _result(attempt: runs.Attempt) -> str:
    if attempt.price_cents is not None:
        return f"renewed for {money.format_cents(attempt.price_cents)}"
    return f"{attempt.code}: {attempt.message}"


def _counts(run: runs.Run) -> str:
    return (
        f"{run.renewed_count} renewed for {money.format_cents(run.amount_cents)}, "
        f"{run.refused_count} refused, {run.skipped_count} skipped"
    )


def _describe(run: runs.Run) -> str:
    ended = f"ended {run.ended_at.isoformat(timespec='seconds')}" if run.ended_at else "not ended"
    adds_up = {None: "not verified", True: "adds up", False: "DOES NOT ADD UP"}
    return (
        f"run {run.id} {run.trigger} for {run.scheduled_at.isoformat(timespec='seconds')}, "
        f"{run.lateness.total_seconds():.0f} s late, {ended}: {_counts(run)}, "
        f"{run.parked_count or 0} parked; {adds_up[None if run.broken_rules is None else not run.broken_rules]}"
    )
