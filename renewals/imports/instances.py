"""Import instances of any accounts."""

from collections.abc import Sequence
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.db.connection import Connection
from renewals.domain import registration_report
from renewals.imports import batches
from renewals.imports.batches import (
    NO_ACCOUNT,
    Done,
    FieldError,
    ImportBatch,
    RowOutcome,
    RowResult,
    RowResults,
)
from renewals.operators import registration
from renewals.operators.audit_log import Action


class ImportedInstance(NamedTuple):
    """An instance of an account, and the name of its bundle where that is said."""

    account_id: str
    reported: registration_report.ReportedInstance
    bundle_name: str | None = None


async def import_instances(batch: ImportBatch, rows: Sequence[ImportedInstance]) -> RowResults:
    """Adds and changes instances of any accounts; no id may be there twice, and bundles must be whole."""

    async def work(connection: Connection) -> Done:
        locked = await accounts_repository.lock_accounts(connection, {row.account_id for row in rows})
        parts: dict[str, list[ImportedInstance]] = {account_id: [] for account_id in locked}
        for row in rows:
            if row.account_id in locked:
                parts[row.account_id].append(row)
        given = [
            registration.RegistrationRequest(account_id, *_reported(part))
            for account_id, part in parts.items()
        ]
        now = batch.clock()
        found = await registration.register_in(connection, locked, given, now, is_part=True) if given else []
        outcomes: dict[str, RowResult] = {}
        for each in found:
            outcomes |= {row.id: RowOutcome.CREATED for row in each.created}
            outcomes |= {row.id: RowOutcome.CHANGED for row, _ in each.changed}
            outcomes |= {
                refusal.id: FieldError(refusal.field, refusal.message)
                for refusal in each.refusals
                if not refusal.field.startswith("bundles.")  # its instances are refused as well
            }
        change = registration.build_change(locked, found, now)
        records = (
            [batches.build_batch_record(batch, Action.REGISTER_INSTANCES, change)] if change.after else []
        )
        return [
            outcomes.get(row.reported.id, RowOutcome.UNCHANGED) if row.account_id in locked else NO_ACCOUNT
            for row in rows
        ], records

    return await batches.run_batch(batch, work)


def _reported(
    part: Sequence[ImportedInstance],
) -> tuple[list[registration_report.ReportedInstance], list[tuple[str, str]]]:
    names = {
        row.reported.bundle_id: row.bundle_name
        for row in part
        if row.reported.bundle_id is not None and row.bundle_name is not None
    }
    return [row.reported for row in part], list(names.items())
