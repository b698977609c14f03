"""What operators watch: the renewal runs, whether all adds up, and what operators did."""

import datetime as dt
import decimal
from typing import Any

import orjson
import strawberry
from strawberry.scalars import JSON

from renewals import integrity
from renewals.auto_renewal import runs
from renewals.db import connection as database
from renewals.domain import errors, limits
from renewals.operators import audit_log
from renewals.operators import queries as operators_queries
from schema.fields import sources
from schema.operator.context import Info
from schema.shared import connections, scalars


@strawberry.type(description="An account that a run could not do, and left for the next.")
class ParkedAccount:
    account_id: strawberry.ID
    error: str


@strawberry.type
class RenewalRun:
    id: strawberry.ID
    trigger: runs.Trigger
    scheduled_at: dt.datetime
    started_at: dt.datetime
    ended_at: dt.datetime | None = strawberry.field(description="Null while something is left to do.")
    lateness_seconds: float
    renewed_count: int
    refused_count: int
    skipped_count: int
    amount: scalars.Money
    parked_count: int | None
    parked_accounts: list[ParkedAccount]
    broken_rules: list[str] | None = strawberry.field(
        description="What of integrityReport did not hold after the run; null until that was looked at."
    )


async def resolve_runs(first: int = 10) -> list[RenewalRun]:
    rows_max = limits.PAGE_ROWS_MAX
    if not 0 <= first <= rows_max:
        raise errors.InvalidInputError("first", f"must be 0 to {rows_max}")
    return await _with_parked(await runs.read_latest_runs(first))


async def find_run(run_id: int) -> RenewalRun:
    [found] = await _with_parked([await runs.read_run(run_id)])
    return found


async def _with_parked(found: list[runs.Run]) -> list[RenewalRun]:
    parked = await runs.read_parked_of(database.pool(), [run.id for run in found])
    return [
        RenewalRun(
            id=strawberry.ID(str(run.id)),
            trigger=runs.Trigger(run.trigger),
            scheduled_at=run.scheduled_at,
            started_at=run.started_at,
            ended_at=run.ended_at,
            lateness_seconds=run.lateness.total_seconds(),
            renewed_count=run.renewed_count,
            refused_count=run.refused_count,
            skipped_count=run.skipped_count,
            amount=scalars.Money(run.amount_cents),
            parked_count=run.parked_count,
            parked_accounts=[
                ParkedAccount(account_id=strawberry.ID(account_id), error=error)
                for account_id, error in parked.get(run.id, [])
            ],
            broken_rules=run.broken_rules,
        )
        for run in found
    ]


@strawberry.type(description="What must always hold, and the first rows that are against it.")
class IntegrityRule:
    rule: str
    is_kept: bool
    damages: JSON


async def resolve_integrity_report() -> list[IntegrityRule]:
    violations = await integrity.check_invariants()
    return [
        IntegrityRule(
            rule=rule,
            is_kept=not damages,
            damages=orjson.loads(orjson.dumps(damages, default=_plain)),
        )
        for rule, damages in violations.items()
    ]


def _plain(value: object) -> str:
    """Numbers of any size without an exponent, all else as it is written."""
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)


def _json(name: str) -> Any:
    def read(row: strawberry.Parent[Any]) -> JSON | None:
        text = row[name]
        found: JSON | None = None if text is None else orjson.loads(text)
        return found

    return read


@strawberry.type(description="What an operator did. Amounts are in cents; there are no secrets in it.")
class AuditEntry:
    id: strawberry.ID
    operator_key_id: strawberry.ID | None = strawberry.field(
        description="Null: a token, or the command line."
    )
    operator_name: str = strawberry.field(description="The key's name, or the token's subject.")
    operator_issuer: str | None = strawberry.field(
        description="Whose token named the operator; null: a key, or the command line."
    )
    action: audit_log.Action
    account_ids: list[strawberry.ID]
    idempotency_key: str
    created_at: dt.datetime

    request = sources.computed(_json("request"), "request")
    before = sources.computed(_json("before"), "before", description="What was changed, as it had been.")
    after = sources.computed(_json("after"), "after", description="What was changed, as it was then.")


def query_audit_log(
    info: Info,
    account_id: strawberry.ID | None = strawberry.UNSET,
    action: audit_log.Action | None = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the reads of the audit log."""
    conditions: dict[str, Any] = {"account_id": account_id or None, "action": action or None}
    return connections.ConnectionQuery(
        operators_queries.AUDIT_LOG,
        lambda page, requested: operators_queries.fetch_audit_log(
            database.pool(), page, counted=requested.count, **conditions
        ),
        lambda: operators_queries.count_audit_log(database.pool(), **conditions),
    )
