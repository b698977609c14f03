"""Monitoring for operators: the worker's runs, the integrity of the data, and the audit log."""

import datetime as dt
import decimal
from typing import Annotated, Any

import orjson
import strawberry
from strawberry.scalars import JSON

from renewals import integrity
from renewals.auto_renewal import chunks, runs
from renewals.db import connection as database
from renewals.db import models
from renewals.db.connection import Row
from renewals.domain import errors, limits, validation
from renewals.operators import audit_log
from renewals.operators import queries as operators_queries
from schema.fields import sources
from schema.operator.context import Info
from schema.shared import connections, scalars


@strawberry.type(description="An account that a run could not process. The next run tries again.")
class ParkedAccount:
    account_id: strawberry.ID = strawberry.field(description="The account.")
    error: str = strawberry.field(
        description="The exception that stopped the account's renewals, for engineers."
    )


@strawberry.type(description="A run of the worker, which renews the instances that are due.")
class RenewalRun:
    id: strawberry.ID = strawberry.field(description="Identifies the run in `retryParked`.")
    trigger: runs.Trigger = strawberry.field(description="What started the run.")
    scheduled_at: dt.datetime = strawberry.field(description="The instant for which the run was scheduled.")
    started_at: dt.datetime = strawberry.field(description="When the run actually started.")
    ended_at: dt.datetime | None = strawberry.field(
        description="When the run ended. Null: the run is in progress."
    )
    lateness_seconds: float = strawberry.field(description="`startedAt` minus `scheduledAt`.")
    renewed_count: int = strawberry.field(description="Number of renewed instances; 0 until the run ends.")
    refused_count: int = strawberry.field(
        description="Number of instances that were refused, for example for lack of funds; 0 until the run ends."
    )
    skipped_count: int = strawberry.field(
        description="Number of instances that were no longer due when the run reached them; 0 until the run ends."
    )
    amount: scalars.Money = strawberry.field(
        description=(
            "The sum of the prices of all renewals, whatever the currencies of their accounts; 0.00 until the run ends."
        )
    )
    parked_count: int | None = strawberry.field(
        description="Number of parked accounts. Null until the run ends."
    )
    parked_accounts: list[ParkedAccount] = strawberry.field(
        description="Accounts that the run could not process."
    )
    broken_rules: list[str] | None = strawberry.field(
        description=(
            "Rules of `integrityReport` that were violated after the run; empty: none. Null: not checked. Runs of test "
            "clocks and runs without due instances are never checked."
        )
    )


async def resolve_runs(
    first: Annotated[
        int, strawberry.argument(description=f"Number of runs, 0 to {limits.PAGE_ROWS_MAX:,}.")
    ] = 10,
    test_clocks: Annotated[
        bool,
        strawberry.argument(
            description="Whether to include the runs of test clocks. One move of a clock can create thousands of runs."
        ),
    ] = True,
) -> list[RenewalRun]:
    """Return the latest runs; raise InvalidInputError if `first` is out of bounds."""
    if not 0 <= first <= limits.PAGE_ROWS_MAX:
        raise errors.InvalidInputError("first", validation.between(first, 0, limits.PAGE_ROWS_MAX))
    return await _build_runs(await runs.list_latest_runs(first, with_test_clocks=test_clocks))


async def get_run(run_id: int) -> RenewalRun:
    """Return the run with this id. Call this only for a run that exists."""
    [run] = await _build_runs([await runs.get_run(run_id)])
    return run


async def _build_runs(renewal_runs: list[models.RenewalRun]) -> list[RenewalRun]:
    parked = await chunks.list_parked_accounts_in(database.pool(), [run.id for run in renewal_runs])
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
        for run in renewal_runs
    ]


@strawberry.type(description="An invariant of the data, and the first rows that violate it.")
class IntegrityRule:
    rule: str = strawberry.field(description="The invariant, in words.")
    is_kept: bool = strawberry.field(description="Whether no row violates it.")
    damages: JSON = strawberry.field(
        description=(
            "At most 100 rows that violate the invariant, as JSON objects keyed by column; amounts are in cents."
        )
    )


async def resolve_integrity_report() -> list[IntegrityRule]:
    """Check all invariants, and return each of them with its violations."""
    violations = await integrity.check_invariants()
    return [
        IntegrityRule(
            rule=rule,
            is_kept=not rows,
            damages=orjson.loads(orjson.dumps(rows, default=_plain)),
        )
        for rule, rows in violations.items()
    ]


def _plain(value: object) -> str:
    """Return a decimal as text without an exponent, and any other value as text."""
    return f"{value:f}" if isinstance(value, decimal.Decimal) else str(value)


def _json(column: str) -> Any:
    def read(row: strawberry.Parent[Row]) -> JSON | None:
        value: JSON | None = None if row[column] is None else orjson.loads(row[column])
        return value

    return read


@strawberry.type(
    description="A change made by an operator. Amounts are in cents, times in UTC; no secret is stored."
)
class AuditEntry:
    id: strawberry.ID = strawberry.field(description="Ascending number of the entry.")
    operator_key_id: strawberry.ID | None = strawberry.field(
        description="The operator's API key. Null: a token, or the command line."
    )
    operator_name: str = strawberry.field(
        description="The name of the key, the subject of the token, or `command line`."
    )
    operator_issuer: str | None = strawberry.field(
        description="The issuer of the operator's token. Null: a key, or the command line."
    )
    action: audit_log.Action = strawberry.field(description="The mutation that made the change.")
    account_ids: list[strawberry.ID] = strawberry.field(
        description=(
            "The accounts that the change concerns. Empty if it concerns only the catalog or the provider, or if no "
            "instance changed."
        )
    )
    idempotency_key: str = strawberry.field(
        description=(
            "The key that the operator sent. The command line generates a key; for an import, it starts with `import-`."
        )
    )
    created_at: dt.datetime = strawberry.field(description="When the change was made.")

    request = sources.computed(
        _json("request"),
        "request",
        description="The request, in the form that is compared if the idempotency key is repeated.",
    )
    before = sources.computed(
        _json("before"),
        "before",
        description="The values before the change, at least those that changed. Null or empty: nothing was replaced.",
    )
    after = sources.computed(
        _json("after"),
        "after",
        description=(
            "The values after the change, at least those that changed. Null or empty: nothing is left, or nothing "
            "changed."
        ),
    )


def query_audit_log(
    info: Info,
    account_id: Annotated[
        strawberry.ID | None,
        strawberry.argument(description="Only changes that concern the account. Null: all."),
    ] = strawberry.UNSET,
    action: Annotated[
        audit_log.Action | None, strawberry.argument(description="Only this mutation. Null: all.")
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with entries of the audit log."""
    conditions: dict[str, Any] = {"account_id": account_id or None, "action": action or None}
    return connections.ConnectionQuery(
        operators_queries.AUDIT_LOG,
        lambda page, requested: operators_queries.fetch_audit_log(
            database.pool(), page, counted=requested.count, **conditions
        ),
        lambda: operators_queries.count_audit_log(database.pool(), **conditions),
    )
