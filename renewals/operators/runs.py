"""Retries of accounts that a renewal run parked, before the next scheduled run."""

from renewals.auto_renewal import chunks, runs
from renewals.db import models
from renewals.db.connection import Connection
from renewals.domain import errors, validation
from renewals.domain.messages import Message
from renewals.operators import audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

_NO_RUN = Message("there is no run {id!r}")
RUN_ID_DIGITS_MAX = 19
RUN_ID_MAX = 2**63 - 1
"""The largest value of a `bigint` column."""


async def retry_parked(call: OperatorRequest, run_id: str) -> IdempotentResult:
    """Start a run for the accounts that another run parked; return the new run's `run_id`.

    The new run contains the accounts whose instances are still due. A worker starts to process it when the next minute
    begins. Raises InvalidInputError if the run parked no account or belongs to a test clock, and NotFoundError if there
    is no such run.
    """
    return await audit_log.run_once(call, Action.RETRY_PARKED, {"run_id": run_id}, _retry_parked_in, run_id)


async def _retry_parked_in(connection: Connection, call: OperatorRequest, run_id: str) -> AuditedChange:
    number = _parse_run_id(run_id)
    run = await models.RenewalRun.get_or_none(id=number, using_db=connection)
    if run is None:
        raise errors.NotFoundError("input.runId", _NO_RUN.fill(id=run_id))
    if run.trigger == runs.Trigger.TEST_CLOCK:
        raise errors.InvalidInputError(
            "input.runId", Message("run {id} belongs to a test clock; move the clock to retry", id=number)
        )
    parked = (await chunks.list_parked_accounts_in(connection, [number])).get(number, [])
    if not parked:
        raise errors.InvalidInputError("input.runId", Message("run {id} has no parked accounts", id=number))
    account_ids = [account_id for account_id, _ in parked]
    new_run_id = await runs.start_run_for_accounts_in(connection, account_ids, call.clock())
    return AuditedChange({"run_id": new_run_id}, account_ids, after={"run_id": new_run_id})


def _parse_run_id(run_id: str) -> int:
    is_number = run_id.isascii() and run_id.isdigit() and len(run_id) <= RUN_ID_DIGITS_MAX
    if not is_number or int(run_id) > RUN_ID_MAX:
        raise errors.NotFoundError("input.runId", _NO_RUN.fill(id=validation.truncate(run_id)))
    return int(run_id)
