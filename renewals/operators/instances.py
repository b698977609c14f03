"""Instances as their provider keeps them: registered, priced, made formal, released; each row decided alone."""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.db import sql
from renewals.db.connection import Connection
from renewals.domain import model, registration_report, registration_rows
from renewals.domain import validation as domain_validation
from renewals.domain.errors import RowError
from renewals.domain.registration import RegistrationResult
from renewals.domain.registration_rows import InstanceRow
from renewals.events import event_log, factories
from renewals.instances import price_holds, registration_context
from renewals.instances import repository as instances_repository
from renewals.operators import accounts, audit_log, validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest


@dataclass(frozen=True, slots=True)
class RegistrationRequest:
    """Instances of an account, and the bundles (id and name) that are new or have another name."""

    account_id: str
    instances: Sequence[registration_report.ReportedInstance]
    bundles: Sequence[tuple[str, str]] = ()


class NewPrice(NamedTuple):
    """What an instance costs a month from now on, in cents."""

    instance_id: str
    monthly_price_cents: int


@dataclass(frozen=True, slots=True)
class _Found:
    """The instances of a call, and the members of the bundles they touch."""

    rows: Mapping[str, InstanceRow]
    members: Mapping[str, frozenset[str]]


async def register(call: OperatorRequest, report: RegistrationRequest) -> IdempotentResult:
    """Adds and changes instances; answers counts of them, and `refusals` of rows."""
    validation.require_rows("instances", report.instances)
    domain_validation.raise_if_invalid("bundles", validation.rows_at_most(report.bundles))
    domain_validation.require_unique("bundles", "id", [bundle_id for bundle_id, _ in report.bundles])

    async def work(connection: Connection) -> AuditedChange:
        account = await accounts.lock_account(connection, report.account_id)
        now = call.clock()
        locked = {account.id: account}
        [found] = await register_in(connection, locked, [report], now)
        done = audited_change(locked, [found], now)
        answer = {**done.answer, "account_id": account.id, "refusals": found.refusals}
        return dataclasses.replace(done, account_ids=[account.id], answer=answer)

    return await audit_log.run_once(call, Action.REGISTER_INSTANCES, report, work)


async def register_in(
    connection: Connection,
    locked: Mapping[str, model.Account],
    given: Sequence[RegistrationRequest],
    now: dt.datetime,
    *,
    is_part: bool = False,
) -> list[RegistrationResult]:
    """Adds and changes instances of locked accounts, with their events; `is_part` as `RegistrationContext` has it."""
    parts = [(locked[each.account_id], each.instances, dict(each.bundles)) for each in given]
    found = await instances_repository.register_all(connection, parts, now, is_part=is_part)
    changed = [pair for each in found for pair in each.changed]
    await event_log.append_events(connection, _events(changed, locked, now), now)
    return found


def audited_change(
    locked: Mapping[str, model.Account], found: Sequence[RegistrationResult], now: dt.datetime
) -> AuditedChange:
    """What was done, as the log keeps it."""
    created = [row for each in found for row in each.created]
    changed = [pair for each in found for pair in each.changed]
    counts = {
        "created_count": len(created),
        "changed_count": len(changed),
        "unchanged_count": sum(each.unchanged_count for each in found),
        "held_count": sum(_is_held(row, locked, now) for _, row in changed),
    }
    return AuditedChange(
        counts,
        sorted({row.account_id for row in created} | {row.account_id for row, _ in changed}),
        before={row.id: row for row, _ in changed},
        after={row.id: row for row in (*created, *(row for _, row in changed))},
    )


async def change_prices(call: OperatorRequest, prices: Sequence[NewPrice]) -> IdempotentResult:
    """Gives instances another price from now on; answers counts, `held_count` among them, and `refusals`.

    What rose beyond its account's cap is held: the worker leaves it until the customer agrees.
    """
    validation.require_rows("prices", prices)
    times = Counter(price.instance_id for price in prices)
    wanted = {price.instance_id: price.monthly_price_cents for price in prices}

    def decide(row: InstanceRow, _: _Found) -> InstanceRow | RowError:
        cents = wanted[row.id]
        if times[row.id] > 1:
            return RowError(row.id, "instanceId", "is more than once in this call")
        if problem := domain_validation.monthly_price(cents):
            return RowError(row.id, "monthlyPrice", problem)
        if row.status == model.InstanceStatus.RELEASED:
            return RowError(row.id, "instanceId", "was released and cannot come back")
        return registration_rows.with_price(row, cents)

    return await _each(call, Action.CHANGE_PRICES, {"prices": prices}, list(wanted), "instanceId", decide)


async def approve_prices(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Takes the prices for agreed, so that what was held is renewed again; answers counts and `refusals`."""
    validation.require_rows("instanceIds", instance_ids)

    def decide(row: InstanceRow, _: _Found) -> InstanceRow | RowError:
        return row._replace(agreed_price_cents=None)

    request = {"instance_ids": instance_ids}
    return await _each(call, Action.CONFIRM_PRICES, request, instance_ids, "instanceIds", decide)


async def convert_trials(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Makes trial instances formal, so that they can be renewed; answers counts and `refusals`."""
    validation.require_rows("instanceIds", instance_ids)

    def decide(row: InstanceRow, _: _Found) -> InstanceRow | RowError:
        if row.is_trial and row.status == model.InstanceStatus.RELEASED:
            return RowError(row.id, "instanceIds", "was released and cannot come back")
        return row._replace(is_trial=False)

    request = {"instance_ids": instance_ids}
    return await _each(call, Action.MAKE_FORMAL, request, instance_ids, "instanceIds", decide)


async def release(call: OperatorRequest, instance_ids: Sequence[str]) -> IdempotentResult:
    """Releases instances now, a bundle as a whole, for good; answers counts and `refusals`."""
    validation.require_rows("instanceIds", instance_ids)
    chosen = frozenset(instance_ids)

    def decide(row: InstanceRow, found: _Found) -> InstanceRow | RowError:
        if row.bundle_id is not None and (lacking := sorted(found.members[row.bundle_id] - chosen)):
            message = f"its bundle is released as a whole; also send {', '.join(lacking)}"
            return RowError(row.id, "instanceIds", message)
        return row._replace(status=model.InstanceStatus.RELEASED.value)

    request = {"instance_ids": instance_ids}
    return await _each(call, Action.RELEASE_INSTANCES, request, instance_ids, "instanceIds", decide)


async def _each(
    call: OperatorRequest,
    action: Action,
    request: object,
    instance_ids: Sequence[str],
    field: str,
    decide: Callable[[InstanceRow, _Found], InstanceRow | RowError],
) -> IdempotentResult:
    """Decides each instance alone, of whatever accounts, and writes those that are to be other than they were."""

    async def work(connection: Connection) -> AuditedChange:
        locked = await _lock_accounts_of(connection, instance_ids)
        found = await _read(connection, instance_ids, locked)
        refusals: list[RowError] = []
        changed: list[tuple[InstanceRow, InstanceRow]] = []
        unchanged_count = 0
        for instance_id in dict.fromkeys(instance_ids):
            row = found.rows.get(instance_id)
            outcome = (
                RowError(instance_id, field, "there is no such instance")
                if row is None
                else decide(row, found)
            )
            if isinstance(outcome, RowError):
                refusals.append(outcome)
                continue
            assert row is not None
            if outcome == row:
                unchanged_count += 1
            else:
                changed.append((row, outcome))
        await instances_repository.update_instances(connection, [row for _, row in changed])
        now = call.clock()
        await event_log.append_events(connection, _events(changed, locked, now), now)
        held_count = sum(_is_held(row, locked, now) for _, row in changed)
        counts = {"changed_count": len(changed), "unchanged_count": unchanged_count, "held_count": held_count}
        return AuditedChange(
            {**counts, "refusals": refusals},
            sorted({row.account_id for row, _ in changed}),
            before={row.id: _what_changed(row, other) for row, other in changed},
            after={row.id: _what_changed(row, other) for other, row in changed},
        )

    return await audit_log.run_once(call, action, request, work)


async def _lock_accounts_of(
    connection: Connection, instance_ids: Sequence[str]
) -> Mapping[str, model.Account]:
    rows = await database.fetch(
        connection,
        "SELECT DISTINCT account_id FROM instances WHERE id = ANY($1)",
        sql.storable_texts(instance_ids),
    )
    return await accounts_repository.lock_accounts(connection, [row["account_id"] for row in rows])


async def _read(
    connection: Connection, instance_ids: Sequence[str], locked: Mapping[str, model.Account]
) -> _Found:
    """What is there of the locked accounts; an instance that came after the lock is not there yet."""
    read = await registration_context.read_rows(connection, instance_ids)
    rows = {row.id: row for row in read if row.account_id in locked}
    members: dict[str, set[str]] = {}
    for row in rows.values():
        if row.bundle_id is not None:
            members.setdefault(row.bundle_id, set()).add(row.id)
    return _Found(rows, {bundle_id: frozenset(ids) for bundle_id, ids in members.items()})


def _instance(row: InstanceRow) -> model.Instance:
    return model.Instance(
        **{name: value for name, value in row._asdict().items() if name in model.Instance._fields}
    )


def _is_held(row: InstanceRow, locked: Mapping[str, model.Account], now: dt.datetime) -> bool:
    return price_holds.is_held(_instance(row), locked[row.account_id].price_rise_cap_bps, now)


def _events(
    changed: Sequence[tuple[InstanceRow, InstanceRow]], locked: Mapping[str, model.Account], now: dt.datetime
) -> list[event_log.NewEvent]:
    """What a customer is told of instances that the provider made others."""
    told: list[event_log.NewEvent] = []
    for was, row in changed:
        if was.status != row.status:
            is_released = row.status == model.InstanceStatus.RELEASED
            happened = (
                event_log.EventType.INSTANCE_RELEASED
                if is_released
                else event_log.EventType.INSTANCE_RESTORED
            )
            told.append(factories.instance_event(happened, row))
        if _is_held(row, locked, now) and not _is_held(was, locked, now):
            told.append(price_holds.price_held_event(_instance(row)))
    return told


def _what_changed(row: InstanceRow, other: InstanceRow) -> dict[str, object]:
    """Those of its columns that the other one has otherwise."""
    return {
        name: value for name, value, its in zip(InstanceRow._fields, row, other, strict=True) if value != its
    }
