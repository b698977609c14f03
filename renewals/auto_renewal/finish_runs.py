"""The end of runs, and the check of the integrity rules after it (rule 24)."""

from renewals import integrity
from renewals.auto_renewal import runs
from renewals.domain import clock as clocks
from renewals.domain.clock import Clock


async def finish_runs(clock: Clock = clocks.utc_now) -> list[int]:
    """End the runs that have no pending chunk, verify them, and return their ids."""
    if ended_ids := await runs.close_finished(clock()):
        await verify_runs()
    return ended_ids


async def verify_runs() -> None:
    """Check the integrity rules if there are unverified runs, and store the result with each of these runs.

    They can include earlier runs, because a process can be killed between the end of a run and this check. If two
    processes verify the same run, the later result replaces the earlier one.
    """
    if run_ids := await runs.list_unverified_ids():
        violations = await integrity.check_invariants()
        await runs.record_violations(run_ids, [rule for rule, rows in violations.items() if rows])
