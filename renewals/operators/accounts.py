"""The creation and update of accounts, and top-ups of balances."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from renewals.accounts import ledger
from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.db import connection as database
from renewals.db import models
from renewals.db.connection import Connection
from renewals.domain import errors, limits, model, validation
from renewals.domain.messages import Message
from renewals.instances import price_held_events
from renewals.operators import audit_log
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest

ZONE_UNKNOWN = Message(
    "must be a time zone of the IANA database that PostgreSQL supports, such as Asia/Shanghai"
)
COLUMNS = (
    "id",
    "name",
    "currency",
    "time_zone",
    "lead_days",
    "price_rise_cap_bps",
    "auto_renew_from",
    "language",
    "test_clock",
)
"""The columns of an account that the provider can set."""
CHANGEABLE = ("name", "lead_days", "price_rise_cap_bps", "auto_renew_from", "language")
"""The columns that the provider can change later."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be created.

    Its time zone and currency cannot be changed later, and a test clock cannot be added or removed (rules 5 and 37).
    """

    id: str
    name: str
    time_zone: str
    currency: str = model.CURRENCY_DEFAULT
    lead_days: int | None = None
    price_rise_cap_bps: int | None = None
    auto_renew_from: dt.datetime | None = None
    """None: automatic renewals start at `test_clock` if it is set, otherwise when the account is created (rule 38)."""
    language: model.Language = model.Language.EN
    test_clock: dt.datetime | None = None
    """The instant at which a test account's clock starts; None for an account in real time (rule 37)."""


@dataclass(frozen=True, slots=True)
class AccountUpdate:
    """New values for some of the columns of an account."""

    account_id: str
    columns: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class TopUp:
    """An amount to be added to a balance, in cents."""

    account_id: str
    amount_cents: int
    memo: str


async def create_account(call: OperatorRequest, request: NewAccount) -> IdempotentResult:
    """Create an account with a balance of zero; return its `account_id`.

    Raises InvalidInputError.
    """
    _check_account(dataclasses.asdict(request))
    return await audit_log.run_once(call, Action.CREATE_ACCOUNT, request, _create_account_in, request)


async def _create_account_in(
    connection: Connection, call: OperatorRequest, request: NewAccount
) -> AuditedChange:
    if not await supported_time_zones(connection, [request.time_zone]):
        raise errors.InvalidInputError("input.timeZone", ZONE_UNKNOWN)
    if await accounts_repository.lock_accounts(connection, [request.id]):
        raise errors.InvalidInputError("input.id", Message("is the id of another account"))
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
        language=request.language,
        test_clock=request.test_clock,
    )
    after = await _get_columns(connection, request.id)
    return AuditedChange({"account_id": request.id}, [request.id], after=after)


async def update_account(call: OperatorRequest, request: AccountUpdate) -> IdempotentResult:
    """Update an account's name, lead days, price-rise cap, cut-over or language; return its `account_id`.

    Raises InvalidInputError and NotFoundError.
    """
    _check_account(request.columns)
    return await audit_log.run_once(call, Action.UPDATE_ACCOUNT, request, _update_account_in, request)


async def _update_account_in(
    connection: Connection, call: OperatorRequest, request: AccountUpdate
) -> AuditedChange:
    account_id = request.account_id
    await lock_account(connection, account_id)
    before = await _get_columns(connection, account_id)
    columns = {name: before[name] for name in CHANGEABLE} | dict(request.columns)
    columns["auto_renew_from"] = columns["auto_renew_from"] or before["created_at"]
    columns["language"] = columns["language"] or model.Language.EN
    await accounts_repository.update_account(connection, account_id, **columns)
    caps = price_held_events.CapChange(before["price_rise_cap_bps"], columns["price_rise_cap_bps"])
    await price_held_events.emit_price_held(connection, {account_id: caps}, call.clock(), call.operator.actor)
    await balance_alerts.mark_for_recheck(connection, [account_id])
    after = await _get_columns(connection, account_id)
    return AuditedChange({"account_id": account_id}, [account_id], before, after)


async def top_up(call: OperatorRequest, request: TopUp) -> IdempotentResult:
    """Add an amount to a balance; return the `account_id` and the `number` of the ledger entry.

    Raises InvalidInputError and NotFoundError.
    """
    validation.raise_if_invalid("amount", validation.amount(request.amount_cents))
    validation.raise_if_invalid("memo", validation.text(request.memo, 0, validation.NAME_LENGTH_MAX))
    return await audit_log.run_once(call, Action.TOP_UP, request, _top_up_in, request)


async def _top_up_in(connection: Connection, call: OperatorRequest, request: TopUp) -> AuditedChange:
    account = await lock_account(connection, request.account_id)
    balance_cents = account.balance_cents + request.amount_cents
    validation.raise_if_invalid("amount", validation.balance(balance_cents))
    await ledger.top_up(connection, account.id, request.amount_cents, memo=request.memo, now=call.clock())
    return AuditedChange(
        {"account_id": account.id, "number": account.ledger_number + 1},
        [account.id],
        before={"balance_cents": account.balance_cents},
        after={"balance_cents": balance_cents},
    )


async def lock_account(connection: Connection, account_id: str, field: str = "accountId") -> model.Account:
    """Lock an account and return it; raise NotFoundError if it does not exist."""
    if validation.identifier(account_id) is None:
        accounts = await accounts_repository.lock_accounts(connection, [account_id])
        if account_id in accounts:
            return accounts[account_id]
    reason = Message("there is no account {id!r}", id=validation.truncate(account_id))
    raise errors.NotFoundError(f"input.{field}", reason)


def validate_account(columns: Mapping[str, object]) -> Iterator[tuple[str, Message | None]]:
    """Yield the GraphQL field of each given column that is in `_CHECKS`, and the problem with its value or None."""
    for column, check in _CHECKS.items():
        if column in columns:
            yield check.field, check.find_problem(columns[column])


class _Check(NamedTuple):
    field: str
    find_problem: Callable[[Any], Message | None]


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
    "test_clock": _Check("testClock", validation.instant),
}


def _check_account(columns: Mapping[str, object]) -> None:
    for field, problem in validate_account(columns):
        validation.raise_if_invalid(field, problem)


async def supported_time_zones(connection: Connection, time_zones: Sequence[str]) -> frozenset[str]:
    """Return the given time zones that PostgreSQL supports; its zone database may differ from that of Python."""
    sql = "SELECT name FROM pg_timezone_names WHERE name = ANY($1)"
    return frozenset(row["name"] for row in await database.fetch(connection, sql, time_zones))


async def _get_columns(connection: Connection, account_id: str) -> dict[str, Any]:
    account = models.Account.get(id=account_id, using_db=connection)
    columns: dict[str, object] = await account.values(*COLUMNS, "created_at")
    return columns
