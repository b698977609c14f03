"""An account as its provider keeps it: opened, changed, given money, vouchers and keys."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from renewals.accounts import api_keys, ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import errors, limits, model, validation
from renewals.instances import price_holds
from renewals.operators import audit_log
from renewals.operators import validation as operators_validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

ZONE_UNKNOWN = "is not known to the database"
COLUMNS = ("id", "name", "currency", "time_zone", "lead_days", "price_rise_cap_bps", "auto_renew_from")
"""What a provider says of an account."""
CHANGEABLE = ("name", "lead_days", "price_rise_cap_bps", "auto_renew_from")
"""What of it may be said anew later on."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be opened; its zone and currency are for good (rule 5)."""

    id: str
    name: str
    time_zone: str
    currency: str = "CNY"
    lead_days: int | None = None
    price_rise_cap_bps: int | None = None
    auto_renew_from: dt.datetime | None = None
    """None: automatic renewals begin at once (rule 38)."""


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """What of an account is to be another, by column."""

    account_id: str
    columns: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApiKeyCreate:
    """A key to be made; an operator's has no account."""

    account_id: str | None
    role: model.Role
    name: str
    expires_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TopUp:
    """Money for a balance, in cents."""

    account_id: str
    amount_cents: int
    memo: str


async def create(call: OperatorRequest, request: NewAccount) -> IdempotentResult:
    """Opens an account with no money in it; answers its `account_id`."""
    _require_sound(dataclasses.asdict(request))

    async def work(connection: Connection) -> AuditedChange:
        if not await supported_time_zones(connection, [request.time_zone]):
            raise errors.InvalidInputError("input.timeZone", ZONE_UNKNOWN)
        if await accounts_repository.lock_accounts(connection, [request.id]):
            raise errors.InvalidInputError("input.id", "is the id of another account")
        await accounts_repository.open_account(
            connection,
            account_id=request.id,
            name=request.name,
            zone=ZoneInfo(request.time_zone),
            now=call.clock(),
            currency=request.currency,
            lead_days=request.lead_days,
            price_rise_cap_bps=request.price_rise_cap_bps,
            auto_renew_from=request.auto_renew_from,
        )
        after = await _row(connection, request.id)
        return AuditedChange({"account_id": request.id}, [request.id], after=after)

    return await audit_log.run_once(call, Action.CREATE_ACCOUNT, request, work)


async def update(call: OperatorRequest, request: AccountUpdate) -> IdempotentResult:
    """Change an account's name, lead time, cap or cut-over; return its `account_id`."""
    _require_sound(request.columns)

    async def work(connection: Connection) -> AuditedChange:
        await lock_account(connection, request.account_id)
        before = await _row(connection, request.account_id)
        changed = {name: before[name] for name in CHANGEABLE} | dict(request.columns)
        changed["auto_renew_from"] = changed["auto_renew_from"] or before["created_at"]
        await accounts_repository.change_account(connection, request.account_id, **changed)
        caps = price_holds.CapChange(before["price_rise_cap_bps"], changed["price_rise_cap_bps"])
        await price_holds.emit_price_held(connection, {request.account_id: caps}, call.clock())
        await balance_alerts.recheck_account(connection, [request.account_id])
        after = await _row(connection, request.account_id)
        return AuditedChange({"account_id": request.account_id}, [request.account_id], before, after)

    return await audit_log.run_once(call, Action.UPDATE_ACCOUNT, request, work)


async def create_key(call: OperatorRequest, request: ApiKeyCreate) -> tuple[IdempotentResult, str | None]:
    """Makes an API key; answers its `key_id`, and the secret the first time alone, for it is kept nowhere."""
    validation.raise_if_invalid("name", validation.text(request.name, 0, validation.NAME_LENGTH_MAX))
    is_operator = request.role is model.Role.OPERATOR
    if is_operator and request.account_id is not None:
        raise errors.InvalidInputError("input.accountId", "an operator's key has no account")
    if not is_operator and request.account_id is None:
        raise errors.InvalidInputError("input.accountId", "only an operator's key has no account")
    secret: str | None = None

    async def work(connection: Connection) -> AuditedChange:
        nonlocal secret
        if request.account_id is not None:
            await lock_account(connection, request.account_id)
        now = call.clock()
        validation.raise_if_invalid("expiresAt", validation.check_future(request.expires_at, now))
        if request.role is model.Role.CALENDAR and await _has_calendar(connection, request.account_id):
            raise errors.InvalidInputError("input.role", "the account has a calendar key; revoke it first")
        issued = await api_keys.issue(
            connection,
            request.account_id,
            now,
            role=request.role,
            name=request.name,
            expires_at=request.expires_at,
        )
        secret = issued.secret
        after = {"id": issued.key_id, "prefix": issued.prefix, **dataclasses.asdict(request)}
        return AuditedChange({"key_id": issued.key_id}, _listed(request.account_id), after=after)

    result = await audit_log.run_once(call, Action.CREATE_API_KEY, request, work)
    return result, secret if result.is_new else None


async def revoke_key(call: OperatorRequest, key_id: str) -> IdempotentResult:
    """Ends a key for good; answers its `key_id`. One that was revoked before stays as it is."""
    found_id = _uuid(key_id, "keyId", "API key")

    async def work(connection: Connection) -> AuditedChange:
        # Locked, so that of two that revoke at once the second sees what the first did.
        sql = "SELECT account_id, revoked_at FROM api_keys WHERE id = $1 FOR UPDATE"
        rows = await database.fetch(connection, sql, found_id)
        if not rows:
            raise errors.NotFoundError("input.keyId", "API key")
        account_id, revoked_at = tuple(rows[0])
        now = call.clock()
        await api_keys.revoke(connection, found_id, now)
        before, after = {"revoked_at": revoked_at}, {"revoked_at": revoked_at or now}
        return AuditedChange({"key_id": found_id}, _listed(account_id), before, after)

    return await audit_log.run_once(call, Action.REVOKE_API_KEY, {"key_id": found_id}, work)


async def top_up(call: OperatorRequest, request: TopUp) -> IdempotentResult:
    """Adds money to a balance; answers the `account_id` and the entry's `number`."""
    validation.raise_if_invalid("amount", validation.amount(request.amount_cents))
    validation.raise_if_invalid("memo", validation.text(request.memo, 0, validation.NAME_LENGTH_MAX))

    async def work(connection: Connection) -> AuditedChange:
        account = await lock_account(connection, request.account_id)
        before = {"balance_cents": account.balance_cents}
        after = {"balance_cents": account.balance_cents + request.amount_cents}
        validation.raise_if_invalid("amount", validation.balance(after["balance_cents"]))
        await ledger.top_up(
            connection, request.account_id, request.amount_cents, memo=request.memo, now=call.clock()
        )
        answer = {"account_id": request.account_id, "number": account.ledger_number + 1}
        return AuditedChange(answer, [request.account_id], before, after)

    return await audit_log.run_once(call, Action.TOP_UP, request, work)


async def issue_vouchers(
    call: OperatorRequest, account_id: str, issued: Sequence[vouchers.NewVoucher]
) -> IdempotentResult:
    """Gives an account all of the vouchers or, where one is wrong, none; answers the `voucher_ids` in their order."""
    operators_validation.require_rows("vouchers", issued)
    for number, voucher in enumerate(issued):
        validation.raise_if_invalid(f"vouchers.{number}.faceValue", validation.amount(voucher.face_cents))

    async def work(connection: Connection) -> AuditedChange:
        await lock_account(connection, account_id)
        now = call.clock()
        known = {row["code"] for row in await database.fetch(connection, "SELECT code FROM products")}
        for number, voucher in enumerate(issued):
            validation.raise_if_invalid(
                f"vouchers.{number}.expiresAt", validation.check_future(voucher.expires_at, now)
            )
            if unknown := sorted(set(voucher.product_codes) - known):
                raise errors.NotFoundError(f"input.vouchers.{number}.products", f"product: {unknown[0]}")
        ids = await vouchers.issue_vouchers(connection, account_id, issued, now)
        after = [given._replace(voucher_id=id_) for id_, given in zip(ids, issued, strict=True)]
        return AuditedChange({"account_id": account_id, "voucher_ids": ids}, [account_id], after=after)

    # In whatever order its products are named, it is the same voucher.
    asked = [each._replace(product_codes=sorted(set(each.product_codes))) for each in issued]
    request = {"account_id": account_id, "vouchers": asked}
    return await audit_log.run_once(call, Action.ISSUE_VOUCHERS, request, work)


async def lock_account(connection: Connection, account_id: str, field: str = "accountId") -> model.Account:
    """The account, locked; raises NotFoundError."""
    found = (
        await accounts_repository.lock_accounts(connection, [account_id])
        if validation.identifier(account_id) is None
        else {}
    )
    if account_id not in found:
        raise errors.NotFoundError(f"input.{field}", "account")
    return found[account_id]


def validate_account(columns: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """What may be wrong with each of the columns that are there: its field, and the problem or None."""
    for column, check in _CHECKS.items():
        if column in columns:
            yield check.field, check.find(columns[column])


class _Check(NamedTuple):
    field: str
    find: Callable[[Any], str | None]


_CHECKS: Mapping[str, _Check] = {
    "id": _Check("id", validation.identifier),
    "time_zone": _Check("timeZone", validation.time_zone),
    "currency": _Check("currency", validation.currency),
    "name": _Check("name", lambda name: validation.name(name or "")),
    "lead_days": _Check("leadDays", lambda days: validation.check_range(days, 0, limits.LEAD_DAYS_MAX)),
    "price_rise_cap_bps": _Check(
        "priceRiseCapPercent",
        lambda bps: validation.check_decimal_range(bps, 0, validation.PRICE_RISE_CAP_BPS_MAX),
    ),
    "auto_renew_from": _Check("autoRenewFrom", validation.instant),
}


def _require_sound(columns: Mapping[str, Any]) -> None:
    for field, problem in validate_account(columns):
        validation.raise_if_invalid(field, problem)


async def supported_time_zones(connection: Connection, time_zones: Sequence[str]) -> frozenset[str]:
    """Those that PostgreSQL knows: it has zones of its own, and reckons with them, too."""
    sql = "SELECT name FROM pg_timezone_names WHERE name = ANY($1)"
    return frozenset(row["name"] for row in await database.fetch(connection, sql, time_zones))


async def _row(connection: Connection, account_id: str) -> dict[str, Any]:
    sql = f"SELECT {', '.join(COLUMNS)}, created_at FROM accounts WHERE id = $1"
    return dict((await database.fetch(connection, sql, account_id))[0])


async def _has_calendar(connection: Connection, account_id: str | None) -> bool:
    sql = "SELECT FROM api_keys WHERE account_id = $1 AND role = 'CALENDAR' AND revoked_at IS NULL"
    return bool(await database.fetch(connection, sql, account_id))


def _uuid(text: str, field: str, what: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise errors.NotFoundError(f"input.{field}", what) from None


def _listed(account_id: str | None) -> list[str]:
    return [] if account_id is None else [account_id]
