"""Lines that the command line prints about runs, attempts and integrity rules."""

import datetime as dt
from collections.abc import Iterator, Sequence

from renewals import integrity
from renewals.auto_renewal import attempts
from renewals.db.models import RenewalRun
from renewals.domain import money
from renewals.operators import run_now


def format_run(run: RenewalRun, parked: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield a run, its parked accounts with their errors, and the integrity rules broken after it."""
    yield _format_run(run)
    for account_id, error in parked:
        yield f"  parked {account_id}: {error}"
    for rule in run.broken_rules or ():
        yield f"  BROKEN {rule}"


def format_result(result: run_now.RunNowResult, at: dt.datetime) -> Iterator[str]:
    """Yield the interrupted runs that `run-now` finished, and its own run at an instant."""
    for run in result.finished:
        yield f"run {run.id}, which was interrupted, is finished: {_format_counts(run)}"
    yield (
        f"run {result.run.id} at {at.isoformat()}: {_format_counts(result.run)}, "
        f"{result.lapsed.expired_count} expired, {result.lapsed.released_count} released"
    )


def format_attempts(attempts: Sequence[attempts.Attempt], count_max: int) -> Iterator[str]:
    """Yield at most `count_max` attempts with their price or reason, and a hint if there are more."""
    for attempt in attempts[:count_max]:
        yield f"  {attempt.account_id}  {attempt.instance_id}  {_format_outcome(attempt)}"
    if attempts[count_max:]:
        yield f"  the first {count_max} are shown: filter by --account and --failed, or raise --count"


def format_rule(rule: str, violations: Sequence[integrity.Violation]) -> Iterator[str]:
    """Yield an integrity rule, and the rows that break it."""
    yield f"{'BROKEN' if violations else 'ok':<8}{rule}"
    for row in violations:
        yield "        " + ", ".join(f"{name}={value}" for name, value in row.items())


def _format_outcome(attempt: attempts.Attempt) -> str:
    if attempt.price_cents is not None:
        return f"renewed for {money.format_cents(attempt.price_cents)}"
    return f"{attempt.code}: {attempt.message}"


def _format_counts(run: RenewalRun) -> str:
    return (
        f"{run.renewed_count} renewed for {money.format_cents(run.amount_cents)}, "
        f"{run.refused_count} refused, {run.skipped_count} skipped"
    )


def _format_run(run: RenewalRun) -> str:
    ended = f"ended {run.ended_at.isoformat(timespec='seconds')}" if run.ended_at else "not ended"
    integrity_states = {None: "not verified", True: "consistent", False: "INCONSISTENT"}
    is_consistent = None if run.broken_rules is None else not run.broken_rules
    return (
        f"run {run.id} {run.trigger} for {run.scheduled_at.isoformat(timespec='seconds')}, "
        f"{run.lateness.total_seconds():.0f} s late, {ended}: {_format_counts(run)}, "
        f"{run.parked_count or 0} parked; {integrity_states[is_consistent]}"
    )
