"""The import of instances of any accounts."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.db.connection import Connection
from renewals.domain import registration_report
from renewals.imports import batches
from renewals.imports.batches import (
    UNKNOWN_ACCOUNT,
    FieldError,
    ImportBatch,
    RowOutcome,
    RowResult,
    RowResults,
    WrittenBatch,
)
from renewals.operators import registration
from renewals.operators.audit_log import Action


class ImportedInstance(NamedTuple):
    """An instance of an account, and its bundle's name if the row has one."""

    account_id: str
    reported: registration_report.ReportedInstance
    bundle_name: str | None = None


async def import_instances(batch: ImportBatch, rows: Sequence[ImportedInstance]) -> RowResults:
    """Register and update instances of any accounts, and return the result of each row.

    Ids must be unique in the batch. The batch must contain all rows of the file that belong to the same bundle.
    """

    async def work(connection: Connection) -> WrittenBatch:
        locked = await accounts_repository.lock_accounts(connection, {row.account_id for row in rows})
        rows_by_account: dict[str, list[ImportedInstance]] = {account_id: [] for account_id in locked}
        for row in rows:
            if row.account_id in locked:
                rows_by_account[row.account_id].append(row)
        requests = [
            registration.RegistrationRequest(
                account_id, [row.reported for row in account_rows], list(_bundle_names(account_rows).items())
            )
            for account_id, account_rows in rows_by_account.items()
        ]
        now = batch.clock()
        account_results = (
            await registration.register_in(
                connection, locked, requests, now, batch.operator.actor, is_part=True
            )
            if requests
            else []
        )
        renamed_ids = {bundle.id for result in account_results for _, bundle in result.renamed_bundles}
        results: dict[str, RowResult] = {
            row.reported.id: RowOutcome.CHANGED for row in rows if row.reported.bundle_id in renamed_ids
        }
        for account_result in account_results:
            results |= {row.id: RowOutcome.CREATED for row in account_result.created}
            results |= {row.id: RowOutcome.CHANGED for row, _ in account_result.changed}
            results |= {
                refusal.id: FieldError(refusal.field, refusal.message)
                for refusal in account_result.refusals
                if not refusal.field.startswith("bundles.")  # the bundle's instances are refused as well
            }
        change = registration.build_change(locked, account_results, now)
        records = (
            [batches.build_batch_record(batch, Action.REGISTER_INSTANCES, change)] if change.after else []
        )
        return [
            results.get(row.reported.id, RowOutcome.UNCHANGED)
            if row.account_id in locked
            else UNKNOWN_ACCOUNT
            for row in rows
        ], records

    return await batches.run_batch(batch, work)


def _bundle_names(rows: Sequence[ImportedInstance]) -> Mapping[str, str]:
    """Return the names that the rows give to bundles, by bundle id."""
    return {
        row.reported.bundle_id: row.bundle_name
        for row in rows
        if row.reported.bundle_id is not None and row.bundle_name is not None
    }
