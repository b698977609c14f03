"""New prices, price approvals, conversions of trials, and releases.

Each instance is changed, left unchanged or refused separately. The answer to each request counts the changed and the
unchanged instances. `held_count` is the number of changed instances that are on price hold afterwards.
"""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection
from renewals.domain import model, registration_rows
from renewals.domain import validation as domain_validation
from renewals.domain.errors import RowError
from renewals.domain.messages import Message
from renewals.domain.registration_rows import InstanceRow
from renewals.events import event_log
from renewals.instances import registration_context
from renewals.instances import repository as instances_repository
from renewals.operators import audit_log, instance_changes, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest
from renewals.operators.instance_changes import RowChange

_WAS_RELEASED = Message("was released and cannot be restored")
_NOT_FOUND = Message("there is no instance {id!r}")


class NewPrice(NamedTuple):
    """The new price of an instance, in cents per month."""

    instance_id: str
    monthly_price_cents: int


@dataclass(frozen=True, slots=True)
class _KnownInstances:
    """The rows of the requested instances and of all members of their bundles, and the member ids of each bundle."""

    rows: Mapping[str, InstanceRow]
    members: Mapping[str, frozenset[str]]


Decide = Callable[[InstanceRow, _KnownInstances], InstanceRow | RowError]
"""A function that returns the new row of an instance, or the reason why the instance is refused."""


async def change_prices(call: OperatorRequest, prices: Sequence[NewPrice]) -> IdempotentResult:
    """Set new prices; return the counts of instances and the `refusals`.

    A running AUTO instance is on price hold if its new price exceeds the agreed price by more than the account's cap.
    Raises InvalidInputError.
    """
    validation.require_rows("prices", prices)
    counts = Counter(price.instance_id for price in prices)
    cents = {price.instance_id: price.monthly_price_cents for price in prices}
    return await audit_log.run_once(
        call,
        Action.CHANGE_PRICES,
        {"prices": prices},
        _change_rows_in,
        list(cents),
        "instanceId",
        functools.partial(_set_price, cents, counts),
    )


def _set_price(
    cents: Mapping[str, int], counts: Mapping[str, int], row: InstanceRow, _: _KnownInstances
) -> InstanceRow | RowError:
    if counts[row.id] > 1:
        return RowError(row.id, "instanceId", domain_validation.REPEATED)
    if problem := domain_validation.monthly_price(cents[row.id]):
        return RowError(row.id, "monthlyPrice", problem)
    if row.status == model.InstanceStatus.RELEASED:
        return RowError(row.id, "instanceId", _WAS_RELEASED)
    return registration_rows.with_price(row, cents[row.id])


async def approve_prices(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Record that the customers agree to the current prices; return the counts of instances and the `refusals`.

    This ends a price hold. Raises InvalidInputError.
    """
    return await _change_rows(call, Action.CONFIRM_PRICES, instance_ids, _approve_price)


def _approve_price(row: InstanceRow, _: _KnownInstances) -> InstanceRow | RowError:
    return row._replace(agreed_price_cents=None)


async def convert_trials(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Convert trials into formal instances (rule 1); return the counts of instances and the `refusals`.

    Raises InvalidInputError.
    """
    return await _change_rows(call, Action.MAKE_FORMAL, instance_ids, _convert_trial)


def _convert_trial(row: InstanceRow, _: _KnownInstances) -> InstanceRow | RowError:
    if row.is_trial and row.status == model.InstanceStatus.RELEASED:
        return RowError(row.id, "instanceIds", _WAS_RELEASED)
    return row._replace(is_trial=False)


async def release_instances(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Release instances now and permanently; return the counts of instances and the `refusals`.

    A bundle is released as a whole. Raises InvalidInputError.
    """
    decide = functools.partial(_release_row, frozenset(instance_ids))
    return await _change_rows(call, Action.RELEASE_INSTANCES, instance_ids, decide)


def _release_row(
    instance_ids: frozenset[str], row: InstanceRow, known: _KnownInstances
) -> InstanceRow | RowError:
    if row.bundle_id is not None and (missing_ids := sorted(known.members[row.bundle_id] - instance_ids)):
        message = Message("a bundle is released as a whole; also send {ids}", ids=tuple(missing_ids))
        return RowError(row.id, "instanceIds", message)
    return row._replace(status=model.InstanceStatus.RELEASED.value)


async def _change_rows(
    call: OperatorRequest, action: Action, instance_ids: Sequence[str], decide: Decide
) -> IdempotentResult:
    validation.require_rows("instanceIds", instance_ids)
    request = {"instance_ids": instance_ids}
    return await audit_log.run_once(
        call, action, request, _change_rows_in, instance_ids, "instanceIds", decide
    )


async def _change_rows_in(
    connection: Connection, call: OperatorRequest, instance_ids: Sequence[str], field: str, decide: Decide
) -> AuditedChange:
    """Change, keep or refuse each instance separately. The instances can belong to several accounts."""
    accounts = await _lock_accounts_of(connection, instance_ids)
    known = await _read_instances(connection, instance_ids, accounts)
    refusals: list[RowError] = []
    changes: list[RowChange] = []
    unchanged_count = 0
    for instance_id in dict.fromkeys(instance_ids):
        row = known.rows.get(instance_id)
        if row is None:
            reason = _NOT_FOUND.fill(id=domain_validation.truncate(instance_id))
            refusals.append(RowError(instance_id, field, reason))
            continue
        decision = decide(row, known)
        if isinstance(decision, RowError):
            refusals.append(decision)
        elif decision == row:
            unchanged_count += 1
        else:
            changes.append((row, decision))
    await instances_repository.update_instances(connection, [after for _, after in changes])
    now = call.clock()
    events = instance_changes.build_events(changes, accounts, now)
    await event_log.append_events(connection, events, now, call.operator.actor)
    return AuditedChange(
        {
            "changed_count": len(changes),
            "unchanged_count": unchanged_count,
            "held_count": instance_changes.count_held(changes, accounts, now),
            "refusals": refusals,
        },
        sorted({after.account_id for _, after in changes}),
        before={before.id: _changed_columns(before, after) for before, after in changes},
        after={after.id: _changed_columns(after, before) for before, after in changes},
    )


async def _lock_accounts_of(
    connection: Connection, instance_ids: Sequence[str]
) -> Mapping[str, model.Account]:
    rows = await database.fetch(
        connection,
        "SELECT DISTINCT account_id FROM instances WHERE id = ANY($1)",
        sql.storable_texts(instance_ids),
    )
    return await accounts_repository.lock_accounts(connection, [row["account_id"] for row in rows])


async def _read_instances(
    connection: Connection, instance_ids: Sequence[str], accounts: Mapping[str, model.Account]
) -> _KnownInstances:
    """Read the instances `instance_ids` and all members of their bundles, but only those of the locked accounts.

    An instance of any other account was registered after the accounts were selected.
    """
    instances = await registration_context.read_rows(connection, instance_ids)
    rows = {row.id: row for row in instances if row.account_id in accounts}
    members: dict[str, set[str]] = {}
    for row in rows.values():
        if row.bundle_id is not None:
            members.setdefault(row.bundle_id, set()).add(row.id)
    return _KnownInstances(rows, {bundle_id: frozenset(ids) for bundle_id, ids in members.items()})


def _changed_columns(row: InstanceRow, other_row: InstanceRow) -> dict[str, object]:
    """Return the columns whose values differ from those of the other row."""
    return {
        name: value
        for name, value, other_value in zip(InstanceRow._fields, row, other_row, strict=True)
        if value != other_value
    }
