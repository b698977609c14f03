"""What an operator does about accounts that a run had to park: the next run, now, for them alone."""

from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import errors
from renewals.operators import audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

RUN_ID_DIGITS_MAX = 19


async def retry_parked(call: OperatorRequest, run_id: str) -> IdempotentResult:
    """Opens a run for the accounts that were parked in another; the worker does it within a minute.

    Answers its `run_id`, and how many accounts it has: those of which something is still due.
    """

    async def work(connection: Connection) -> AuditedChange:
        is_number = run_id.isascii() and run_id.isdigit() and len(run_id) <= RUN_ID_DIGITS_MAX
        if not is_number or not await _exists(connection, int(run_id)):
            raise errors.NotFoundError("input.runId", "run")
        parked = (await runs.read_parked_of(connection, [int(run_id)])).get(int(run_id), [])
        if not parked:
            raise errors.InvalidInputError("input.runId", "is a run in which no account was parked")
        account_ids = [account_id for account_id, _ in parked]
        opened_id = await runs.start_run_for(connection, account_ids, call.clock())
        return AuditedChange({"run_id": opened_id}, account_ids, after={"run_id": opened_id})

    return await audit_log.run_once(call, Action.RETRY_PARKED, {"run_id": run_id}, work)


async def _exists(connection: Connection, run_id: int) -> bool:
    sql = "SELECT FROM renewal_runs WHERE id = $1"
    return run_id < 2**63 and bool(await database.fetch(connection, sql, run_id))
