"""The import of accounts with their first balances."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from renewals import config, idempotency
from renewals.accounts import ledger
from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import model, registration_rows, validation
from renewals.domain.messages import Message
from renewals.imports import batches
from renewals.imports.batches import FieldError, RowOutcome
from renewals.instances import price_held_events
from renewals.operators import accounts, audit_log
from renewals.operators.audit_log import Action, AuditedChange

FIRST_BALANCE_MEMO = "First balance"


_OTHER_BALANCE = Message("differs from the first balance, which was already posted; use topUp to add money")


class ImportedAccount(NamedTuple):
    """The columns that the row of an account contains, and the account's first balance in cents."""

    columns: Mapping[str, Any]
    balance_cents: int | None = None


@dataclass(frozen=True, slots=True)
class _AccountChange:
    """An account after and before the import, and the first balance to post."""

    after: Mapping[str, Any]
    before: Mapping[str, Any] | None
    first_balance: accounts.TopUp | None

    @property
    def outcome(self) -> RowOutcome:
        if self.before is None:
            return RowOutcome.CREATED
        is_same = self.after == self.before and self.first_balance is None
        return RowOutcome.UNCHANGED if is_same else RowOutcome.CHANGED


class _AccountsState(NamedTuple):
    """The locked accounts (as objects and as columns), the posted first balances, and the supported time zones."""

    locked: Mapping[str, model.Account]
    rows: Mapping[str, Mapping[str, object]]
    posted: Mapping[str, audit_log.PriorResult]
    time_zones: frozenset[str]


async def import_accounts(batch: batches.ImportBatch, rows: Sequence[ImportedAccount]) -> batches.RowResults:
    """Create and update accounts, and return the result of each row. Ids must be unique in the batch.

    An existing account keeps its values in the columns that its row lacks, and a test account also keeps its clock. The
    first balance of an account is posted at most once.
    """

    async def work(connection: Connection) -> batches.WrittenBatch:
        state = await _read(connection, rows)
        now = batch.clock()
        decisions = [_decide(row, state, now) for row in rows]
        changes = [decision for decision in decisions if isinstance(decision, _AccountChange)]
        created = [change for change in changes if change.before is None]
        updated = [change for change in changes if change.before not in (None, change.after)]
        top_ups = [change.first_balance for change in changes if change.first_balance is not None]
        records = await _create(connection, batch, [change.after for change in created], now)
        records += await _update(connection, batch, updated, now)
        records += await _post(connection, top_ups, now)
        return [
            decision.outcome if isinstance(decision, _AccountChange) else decision for decision in decisions
        ], records

    return await batches.run_batch(batch, work)


async def _read(connection: Connection, rows: Sequence[ImportedAccount]) -> _AccountsState:
    locked = await accounts_repository.lock_accounts(connection, [row.columns["id"] for row in rows])
    sql = f"SELECT {', '.join(accounts.COLUMNS)}, created_at FROM accounts WHERE id = ANY($1)"
    account_rows = await database.fetch(connection, sql, list(locked))
    time_zones = {row.columns.get("time_zone", config.get_settings().time_zone.key) for row in rows}
    return _AccountsState(
        locked,
        {row["id"]: dict(row) for row in account_rows},
        await audit_log.find_prior_results(
            connection, [_first_balance_key(row.columns["id"]) for row in rows if row.balance_cents]
        ),
        await accounts.supported_time_zones(connection, sorted(time_zones)),
    )


def _decide(row: ImportedAccount, state: _AccountsState, now: dt.datetime) -> _AccountChange | FieldError:
    """Return the change of an account, or the first problem of its row."""
    for field, problem in accounts.validate_account(row.columns):
        if problem:
            return FieldError(field, problem)
    after = _merge(row, state, now)
    if isinstance(after, FieldError):
        return after
    first_balance = _decide_balance(row, state)
    if isinstance(first_balance, FieldError):
        return first_balance
    return _AccountChange(after, state.rows.get(row.columns["id"]), first_balance)


def _merge(
    row: ImportedAccount, state: _AccountsState, now: dt.datetime
) -> Mapping[str, object] | FieldError:
    """Return all columns of the account after the import, or the problem of its row."""
    before = state.rows.get(row.columns["id"])
    columns: dict[str, object]
    if before is None:
        defaults = {
            "time_zone": config.get_settings().time_zone.key,
            "currency": model.CURRENCY_DEFAULT,
            "created_at": row.columns.get("test_clock") or now,
        }
        columns = {**dict.fromkeys(accounts.COLUMNS), **defaults, **row.columns}
        if columns["time_zone"] not in state.time_zones:
            return FieldError("timeZone", accounts.ZONE_UNKNOWN)
    else:
        for name, field in (("time_zone", "timeZone"), ("currency", "currency")):
            if row.columns.get(name, before[name]) != before[name]:
                return FieldError(field, registration_rows.fixed(str(before[name])))
        columns = {**before, **row.columns, "test_clock": before["test_clock"]}
        if row.columns.get("test_clock") is not None and before["test_clock"] is None:
            return FieldError(
                "testClock", Message("must be empty, because the account was created without a test clock")
            )
    columns["auto_renew_from"] = columns["auto_renew_from"] or columns["created_at"]
    columns["language"] = columns["language"] or model.Language.EN
    return columns


def _decide_balance(row: ImportedAccount, state: _AccountsState) -> accounts.TopUp | FieldError | None:
    """Return the first balance to post, or the problem with it, or None if nothing is to be posted."""
    if not row.balance_cents:
        return None
    account_id = row.columns["id"]
    top_up = accounts.TopUp(account_id, row.balance_cents, FIRST_BALANCE_MEMO)
    if problem := validation.amount(top_up.amount_cents):
        return FieldError("balance", problem)
    if posted := state.posted.get(_first_balance_key(account_id)):
        request_hash = idempotency.fingerprint(Action.TOP_UP, idempotency.canonical_json(top_up))
        if posted.request_hash != request_hash:
            return FieldError("balance", _OTHER_BALANCE)
        return None
    balance_cents = state.locked[account_id].balance_cents if account_id in state.locked else 0
    if problem := validation.balance(balance_cents + top_up.amount_cents):
        return FieldError("balance", problem)
    return top_up


async def _create(
    connection: Connection, batch: batches.ImportBatch, created: Sequence[Mapping[str, Any]], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    rows = [
        accounts_repository.AccountInsert(*(columns[name] for name in accounts.COLUMNS))
        for columns in created
    ]
    await accounts_repository.open_accounts(connection, rows, now)
    after = {columns["id"]: columns for columns in created}
    change = AuditedChange({"created_count": len(created)}, list(after), after=after)
    return [batches.build_batch_record(batch, Action.CREATE_ACCOUNT, change)] if created else []


async def _update(
    connection: Connection, batch: batches.ImportBatch, updated: Sequence[_AccountChange], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    rows = [
        accounts_repository.AccountPatch(*(change.after[name] for name in ("id", *accounts.CHANGEABLE)))
        for change in updated
    ]
    await accounts_repository.update_accounts(connection, rows)
    before = {change.after["id"]: change.before for change in updated if change.before is not None}
    after = {change.after["id"]: change.after for change in updated}
    caps = {
        account_id: price_held_events.CapChange(
            columns["price_rise_cap_bps"], after[account_id]["price_rise_cap_bps"]
        )
        for account_id, columns in before.items()
    }
    await price_held_events.emit_price_held(connection, caps, now, batch.operator.actor)
    await balance_alerts.mark_for_recheck(connection, list(after))
    change = AuditedChange({"changed_count": len(updated)}, list(after), before, after)
    return [batches.build_batch_record(batch, Action.UPDATE_ACCOUNT, change)] if updated else []


async def _post(
    connection: Connection, top_ups: Sequence[accounts.TopUp], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    """Post first balances, and return an audit record for each; the key of the record prevents a second posting."""
    locked = await accounts_repository.lock_accounts(connection, [top_up.account_id for top_up in top_ups])
    entries, records = [], []
    for top_up in top_ups:
        account = locked[top_up.account_id]
        after_cents = account.balance_cents + top_up.amount_cents
        entries.append(ledger.NewLedgerEntry(account.id, top_up.amount_cents, after_cents, None, top_up.memo))
        result = {"account_id": account.id, "number": account.ledger_number + 1}
        before, after = {"balance_cents": account.balance_cents}, {"balance_cents": after_cents}
        records.append(_build_record(top_up, AuditedChange(result, [account.id], before, after)))
    await ledger.post_top_ups(connection, locked, entries, now)
    return records


def _build_record(top_up: accounts.TopUp, change: AuditedChange) -> audit_log.AuditRecord:
    return audit_log.build_record(Action.TOP_UP, _first_balance_key(top_up.account_id), top_up, change)


def _first_balance_key(account_id: str) -> str:
    """Return the idempotency key of an account's first balance, with a hash because keys have at most 64 characters."""
    return f"first-balance-{hashlib.sha256(account_id.encode()).hexdigest()[:48]}"
