"""The registration of the provider's instances with an account, and the update of registered instances."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from renewals.db.connection import Connection
from renewals.domain import model, registration_report
from renewals.domain import validation as domain_validation
from renewals.domain.registration import RegistrationResult
from renewals.events import event_log
from renewals.instances import repository as instances_repository
from renewals.operators import accounts, audit_log, instance_changes, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """The reported instances of an account, and the id and name of each new or renamed bundle."""

    account_id: str
    instances: Sequence[registration_report.ReportedInstance]
    bundles: Sequence[tuple[str, str]] = ()


async def register_instances(call: OperatorRequest, request: RegistrationRequest) -> IdempotentResult:
    """Insert and update instances; return the `account_id`, the counts of instances and the `refusals` of rows.

    Raises InvalidInputError and NotFoundError.
    """
    validation.require_rows("instances", request.instances)
    domain_validation.raise_if_invalid("bundles", validation.validate_row_count(request.bundles))
    domain_validation.require_unique("bundles", "id", [bundle_id for bundle_id, _ in request.bundles])
    return await audit_log.run_once(call, Action.REGISTER_INSTANCES, request, _register_instances_in, request)


async def _register_instances_in(
    connection: Connection, call: OperatorRequest, request: RegistrationRequest
) -> AuditedChange:
    account = await accounts.lock_account(connection, request.account_id)
    now = account.instant(call.clock())
    locked_accounts = {account.id: account}
    [result] = await register_in(connection, locked_accounts, [request], now, call.operator.actor)
    change = build_change(locked_accounts, [result], now)
    answer = {**change.answer, "account_id": account.id, "refusals": result.refusals}
    return dataclasses.replace(change, account_ids=[account.id], answer=answer)


async def register_in(
    connection: Connection,
    locked_accounts: Mapping[str, model.Account],
    requests: Sequence[RegistrationRequest],
    now: dt.datetime,
    actor: model.Actor,
    *,
    is_part: bool = False,
) -> list[RegistrationResult]:
    """Insert and update instances of locked accounts, append their events, and return the result of each request.

    `actor` is the actor of the events. `RegistrationContext` describes `is_part`.
    """
    parts = [
        (locked_accounts[request.account_id], request.instances, dict(request.bundles))
        for request in requests
    ]
    results = await instances_repository.register_all(connection, parts, now, is_part=is_part)
    changed = [pair for result in results for pair in result.changed]
    events = instance_changes.build_events(changed, locked_accounts, now)
    await event_log.append_events(connection, events, now, actor)
    return results


def build_change(
    locked_accounts: Mapping[str, model.Account], results: Sequence[RegistrationResult], now: dt.datetime
) -> AuditedChange:
    """Return the change that the audit log stores for registrations.

    Its answer counts the created, changed and unchanged instances, and the changed instances that are on price hold
    after the change. Its values before and after are the instances by id and, as `bundles`, the renamed bundles by id.
    """
    created = [row for result in results for row in result.created]
    changed = [pair for result in results for pair in result.changed]
    renamed = [pair for result in results for pair in result.renamed_bundles]
    before: dict[str, object] = {row.id: row for row, _ in changed}
    after: dict[str, object] = {row.id: row for row in (*created, *(row for _, row in changed))}
    if renamed:
        before["bundles"] = {bundle.id: bundle for bundle, _ in renamed}
        after["bundles"] = {bundle.id: bundle for _, bundle in renamed}
    return AuditedChange(
        {
            "created_count": len(created),
            "changed_count": len(changed),
            "unchanged_count": sum(result.unchanged_count for result in results),
            "held_count": instance_changes.count_held(changed, locked_accounts, now),
        },
        sorted(
            {row.account_id for row in created}
            | {row.account_id for row, _ in changed}
            | {bundle.account_id for bundle, _ in renamed}
        ),
        before=before,
        after=after,
    )
