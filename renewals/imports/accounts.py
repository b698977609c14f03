"""Accounts of a source, each decided alone: opened with their first balance, changed, or as they were."""

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
from renewals.domain import model, validation
from renewals.imports import batches
from renewals.imports.batches import FieldError, RowOutcome
from renewals.instances import price_holds
from renewals.operators import accounts, audit_log
from renewals.operators.audit_log import Action, AuditedChange

FIRST_BALANCE_MEMO = "First balance"


class ImportedAccount(NamedTuple):
    """An account by those of its columns that are said, and the money that it brings, in cents."""

    columns: Mapping[str, Any]
    balance_cents: int | None = None


@dataclass(frozen=True, slots=True)
class _Account:
    """An account as it is to be, as it was, and the money that it is given."""

    columns: Mapping[str, Any]
    was: Mapping[str, Any] | None
    first: accounts.TopUp | None

    @property
    def fate(self) -> RowOutcome:
        if self.was is None:
            return RowOutcome.CREATED
        return RowOutcome.UNCHANGED if self.columns == self.was and self.first is None else RowOutcome.CHANGED


class _Known(NamedTuple):
    """What is there: the accounts, locked and as their rows have them, what was posted, and the zones."""

    locked: Mapping[str, model.Account]
    rows: Mapping[str, Mapping[str, Any]]
    posted: Mapping[str, audit_log.PriorResult]
    zones: frozenset[str]


async def import_accounts(batch: batches.ImportBatch, rows: Sequence[ImportedAccount]) -> batches.RowResults:
    """Opens accounts and changes those that are there; no id may be there twice.

    What is left out of an account that is there stays. Its first balance is posted once, whatever is repeated.
    """

    async def work(connection: Connection) -> batches.Done:
        known = await _read(connection, rows)
        now = batch.clock()
        judged = [_judge(row, known, now) for row in rows]
        sound = [each for each in judged if isinstance(each, _Account)]
        records = await _open(connection, batch, [each.columns for each in sound if each.was is None], now)
        records += await _change(
            connection, batch, [each for each in sound if each.was not in (None, each.columns)], now
        )
        records += await _post(connection, [each.first for each in sound if each.first is not None], now)
        return [each.fate if isinstance(each, _Account) else each for each in judged], records

    return await batches.run_batch(batch, work)


async def _read(connection: Connection, rows: Sequence[ImportedAccount]) -> _Known:
    locked = await accounts_repository.lock_accounts(connection, [row.columns["id"] for row in rows])
    sql = f"SELECT {', '.join(accounts.COLUMNS)}, created_at FROM accounts WHERE id = ANY($1)"
    found = await database.fetch(connection, sql, list(locked))
    zones = {row.columns.get("time_zone", config.get_settings().time_zone.key) for row in rows}
    return _Known(
        locked,
        {row["id"]: dict(row) for row in found},
        await audit_log.find_prior_results(
            connection, [_balance_key(row.columns["id"]) for row in rows if row.balance_cents]
        ),
        await accounts.supported_time_zones(connection, sorted(zones)),
    )


def _judge(row: ImportedAccount, known: _Known, now: dt.datetime) -> _Account | FieldError:
    for field, problem in accounts.validate_account(row.columns):
        if problem:
            return FieldError(field, problem)
    account_id = row.columns["id"]
    was = known.rows.get(account_id)
    columns: dict[str, Any]
    if was is None:
        defaults = {"time_zone": config.get_settings().time_zone.key, "currency": "CNY", "created_at": now}
        columns = {**dict.fromkeys(accounts.COLUMNS), **defaults, **row.columns}
        if columns["time_zone"] not in known.zones:
            return FieldError("timeZone", accounts.ZONE_UNKNOWN)
    else:
        for name, field in (("time_zone", "timeZone"), ("currency", "currency")):
            if row.columns.get(name, was[name]) != was[name]:
                return FieldError(field, f"is {was[name]} for good")
        columns = {**was, **row.columns}
    columns["auto_renew_from"] = columns["auto_renew_from"] or columns["created_at"]
    if not row.balance_cents:
        return _Account(columns, was, None)
    first = accounts.TopUp(account_id, row.balance_cents, FIRST_BALANCE_MEMO)
    if problem := validation.amount(first.amount_cents):
        return FieldError("balance", problem)
    if posted := known.posted.get(_balance_key(account_id)):
        request_hash = idempotency.fingerprint(Action.TOP_UP, idempotency.canonical_json(first))
        if posted.request_hash != request_hash:
            return FieldError("balance", "is not the first balance that was posted; more money is a top-up")
        return _Account(columns, was, None)
    balance_cents = known.locked[account_id].balance_cents if account_id in known.locked else 0
    if problem := validation.balance(balance_cents + first.amount_cents):
        return FieldError("balance", problem)
    return _Account(columns, was, first)


async def _open(
    connection: Connection, batch: batches.ImportBatch, opened: Sequence[Mapping[str, Any]], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    rows = [
        accounts_repository.AccountInsert(*(columns[name] for name in accounts.COLUMNS)) for columns in opened
    ]
    await accounts_repository.open_accounts(connection, rows, now)
    after = {columns["id"]: columns for columns in opened}
    change = AuditedChange({"created_count": len(opened)}, list(after), after=after)
    return [batches.build_batch_record(batch, Action.CREATE_ACCOUNT, change)] if opened else []


async def _change(
    connection: Connection, batch: batches.ImportBatch, changed: Sequence[_Account], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    rows = [
        accounts_repository.AccountPatch(*(each.columns[name] for name in ("id", *accounts.CHANGEABLE)))
        for each in changed
    ]
    await accounts_repository.update_accounts(connection, rows)
    before = {each.columns["id"]: each.was for each in changed if each.was is not None}
    after = {each.columns["id"]: each.columns for each in changed}
    caps = {
        account_id: price_holds.CapChange(was["price_rise_cap_bps"], after[account_id]["price_rise_cap_bps"])
        for account_id, was in before.items()
    }
    await price_holds.emit_price_held(connection, caps, now)
    await balance_alerts.recheck_account(connection, list(after))
    change = AuditedChange({"changed_count": len(changed)}, list(after), before, after)
    return [batches.build_batch_record(batch, Action.UPDATE_ACCOUNT, change)] if changed else []


async def _post(
    connection: Connection, given: Sequence[accounts.TopUp], now: dt.datetime
) -> list[audit_log.AuditRecord]:
    """Posts first balances; each is an entry of the log by itself, whose key remembers it."""
    locked = await accounts_repository.lock_accounts(connection, [each.account_id for each in given])
    kind = model.LedgerEntryKind.TOP_UP
    entries, records = [], []
    for each in given:
        account = locked[each.account_id]
        after_cents = account.balance_cents + each.amount_cents
        entries.append(
            ledger.NewLedgerEntry(account.id, kind, each.amount_cents, after_cents, None, None, each.memo)
        )
        answer = {"account_id": account.id, "number": account.ledger_number + 1}
        before, after = {"balance_cents": account.balance_cents}, {"balance_cents": after_cents}
        records.append(_record(each, AuditedChange(answer, [account.id], before, after)))
    await ledger.post_entries(connection, locked, entries, now)
    return records


def _record(given: accounts.TopUp, change: AuditedChange) -> audit_log.AuditRecord:
    return audit_log.build_record(Action.TOP_UP, _balance_key(given.account_id), given, change)


def _balance_key(account_id: str) -> str:
    """The key of an account's first balance; it may have 64 characters at most, as an id."""
    return f"first-balance-{hashlib.sha256(account_id.encode()).hexdigest()[:48]}"
