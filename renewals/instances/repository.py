"""The writer of the tables `instances` and `bundles`. Only the reset of the demo deletes their rows."""

import dataclasses
import datetime as dt
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import orjson

from renewals.db import connection as database
from renewals.db import sql, statements
from renewals.domain import model, registration, registration_report
from renewals.domain import policy as domain_policy
from renewals.domain.registration_rows import InstanceRow
from renewals.domain.tags import Tags
from renewals.instances import filters, queries, registration_context, search_texts

COLUMNS = ", ".join(f"i.{name}" for name in model.Instance._fields)
"""The columns of `instances i`, in the order of `model.Instance`."""


def columns_with_status(now: str) -> str:
    """Return COLUMNS with the status at the instant of the placeholder `now` instead of the stored status."""
    return COLUMNS.replace("i.status", f"{filters.status_at(now)} AS status")


class ExpiredInstance(NamedTuple):
    """An instance that expired or was released."""

    account_id: str
    id: str
    expires_at: dt.datetime
    renewal_mode: str


def group_by_account(rows: Iterable[database.Row]) -> dict[str, list[model.Instance]]:
    """Return the instances in rows with the columns `COLUMNS`, grouped by account id."""
    instances: dict[str, list[model.Instance]] = {}
    for row in rows:
        instance = model.Instance._make(row)
        instances.setdefault(instance.account_id, []).append(instance)
    return instances


async def register(
    connection: database.Connection,
    account: model.Account,
    reported: Sequence[registration_report.ReportedInstance],
    bundles: Mapping[str, str],
    now: dt.datetime,
) -> registration.RegistrationResult:
    """Insert and update the reported instances of a locked account, with their bundles (name by id).

    The result lists the refused instances, which are not written.
    """
    [result] = await register_all(connection, [(account, reported, bundles)], now)
    return result


async def register_all(
    connection: database.Connection,
    batches: Sequence[registration_context.AccountBatch],
    now: dt.datetime,
    *,
    is_part: bool = False,
) -> list[registration.RegistrationResult]:
    """Register the instances of several locked accounts in a fixed number of statements.

    An id must not occur in two batches.
    """
    context = await registration_context.read_context(connection, batches, now, is_part=is_part)
    results = [
        registration.plan_registration(
            reported,
            bundles,
            dataclasses.replace(context, account_id=account.id, zone=account.zone, now=account.instant(now)),
        )
        for account, reported, bundles in batches
    ]
    await _write_bundles(connection, results)
    created = [row for result in results for row in result.created]
    changed = [pair for result in results for pair in result.changed]
    await database.execute(
        connection,
        f"INSERT INTO instances ({', '.join(InstanceRow._fields)}) SELECT * FROM unnest({_ROW_ARRAYS})",
        *sql.transpose(created, len(InstanceRow._fields)),
    )
    await update_instances(connection, [row for _, row in changed])
    await search_texts.upsert_search_texts(connection, created, changed)
    return results


_SQL_TYPES: Mapping[object, str] = {str: "text", bool: "boolean", int: "bigint", dt.datetime: "timestamptz"}


def _sql_type(column: str, annotation: object) -> str:
    """Return the SQL type of a column of `InstanceRow`; an optional column has the type of its values."""
    if column in ("configuration", "tags"):
        return "jsonb"
    [value_type] = {*(typing.get_args(annotation) or (annotation,))} - {type(None)}
    return _SQL_TYPES[value_type]


_ROW_ARRAYS = ", ".join(
    f"${number}::{_sql_type(*column)}[]"
    for number, column in enumerate(typing.get_type_hints(InstanceRow).items(), 1)
)
"""The arguments of unnest() for the columns of `InstanceRow`."""

_CHANGEABLE = (
    "name", "data_center_code", "configuration", "is_trial", "status", "expires_at", "anchor_day",
    "monthly_price_cents", "agreed_price_cents",
)  # fmt: skip


async def update_instances(connection: database.Connection, rows: Sequence[InstanceRow]) -> None:
    """Update the columns that the provider can change, for instances of locked accounts."""
    await database.execute(
        connection,
        f"""UPDATE instances i SET {", ".join(f"{name} = u.{name}" for name in _CHANGEABLE)}
            FROM unnest({_ROW_ARRAYS}) AS u({", ".join(InstanceRow._fields)}) WHERE i.id = u.id""",
        *sql.transpose(rows, len(InstanceRow._fields)),
    )


async def _write_bundles(
    connection: database.Connection, results: Sequence[registration.RegistrationResult]
) -> None:
    await database.execute(
        connection,
        "INSERT INTO bundles (id, account_id, name) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])",
        *sql.transpose([bundle for result in results for bundle in result.new_bundles], 3),
    )
    await database.execute(
        connection,
        """UPDATE bundles b SET name = u.name FROM unnest($1::text[], $2::text[], $3::text[]) AS u(id, account_id, name)
           WHERE b.id = u.id AND b.account_id = u.account_id""",
        *sql.transpose([bundle for result in results for _, bundle in result.renamed_bundles], 3),
    )


async def find_running(connection: database.Connection, instance_ids: Sequence[str]) -> frozenset[str]:
    """Return the ids of the instances whose stored status is RUNNING."""
    rows = await database.fetch(
        connection, "SELECT id FROM instances WHERE id = ANY($1) AND status = 'RUNNING'", instance_ids
    )
    return frozenset(row["id"] for row in rows)


def build_renewals(lines: str, *, returns_rows: bool = False) -> statements.Change:
    """Return the change that sets the new expiry and anchor day of each instance and restores expired ones (rule 22).

    `lines` is the name of an earlier statement that returns `instance_id`, `expires_at` and `anchor_day`. The agreed
    price is cleared, because paying the current price accepts it. If `returns_rows` is True, the change returns rows
    for the API.
    """
    returning = f"RETURNING {queries.RENEWED_COLUMNS}" if returns_rows else ""
    return statements.Change(
        {
            "renewed_instances": f"""
              UPDATE instances i SET expires_at = l.expires_at, anchor_day = l.anchor_day, status = 'RUNNING',
                agreed_price_cents = NULL
              FROM {lines} l WHERE i.id = l.instance_id {returning}"""
        },
        [],
    )


async def revert_renewals(connection: database.Connection, refunded: Sequence[model.Instance]) -> None:
    """Set the expiry, the anchor day and the refund count of refunded instances."""
    rows = [(i.id, i.expires_at, i.anchor_day, i.refund_count) for i in refunded]
    await database.execute(
        connection,
        """UPDATE instances i SET expires_at = u.expires_at, anchor_day = u.anchor_day,
             refund_count = u.refund_count
           FROM unnest($1::text[], $2::timestamptz[], $3::int[], $4::int[])
             AS u(id, expires_at, anchor_day, refund_count)
           WHERE i.id = u.id""",
        *sql.transpose(rows, 4),
    )


def build_policy(instance_ids: Sequence[str], policy: domain_policy.NewPolicy) -> statements.Change:
    """Return the change that sets the renewal mode, and `auto_renew_months` if `policy.months_to_set` is not None.

    The mode AUTO clears the agreed price, because the customer thereby accepts the current price.
    """
    return statements.Change(
        {
            "policies": """
              UPDATE instances SET renewal_mode = $2, auto_renew_months = coalesce($3, auto_renew_months),
                agreed_price_cents = CASE WHEN $2 = 'AUTO' THEN NULL ELSE agreed_price_cents END
              WHERE id = ANY($1)"""
        },
        [instance_ids, policy.mode, policy.months_to_set],
    )


async def read_tags(connection: database.Connection, instance_ids: Sequence[str]) -> dict[str, Tags]:
    """Return the tags of instances by their ids."""
    rows = await database.fetch(connection, "SELECT id, tags FROM instances WHERE id = ANY($1)", instance_ids)
    return {row["id"]: orjson.loads(row["tags"]) for row in rows}


async def set_tags(connection: database.Connection, tags: Mapping[str, Tags]) -> None:
    """Replace all tags of instances of a locked account; `tags` holds the new tags by instance id."""
    rows = [(instance_id, orjson.dumps(values).decode()) for instance_id, values in tags.items()]
    await database.execute(
        connection,
        """UPDATE instances i SET tags = u.tags FROM unnest($1::text[], $2::jsonb[]) AS u(id, tags)
           WHERE i.id = u.id""",
        *sql.transpose(rows, 2),
    )


async def expire(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> list[ExpiredInstance]:
    """Set the status of the accounts' running instances past their expiry to EXPIRED, and return them (rule 22)."""
    rows = await database.fetch(
        connection,
        """UPDATE instances SET status = 'EXPIRED'
           WHERE account_id = ANY($1) AND status = 'RUNNING' AND expires_at < $2
           RETURNING account_id, id, expires_at, renewal_mode""",
        account_ids,
        now,
    )
    return sorted(ExpiredInstance(*row) for row in rows)


async def release(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> list[ExpiredInstance]:
    """Set the status of the accounts' expired instances past their retention to RELEASED, and return them (rule 22)."""
    rows = await database.fetch(
        connection,
        f"""UPDATE instances i SET status = 'RELEASED' WHERE i.account_id = ANY($1) AND i.status = 'EXPIRED'
              AND i.expires_at < $2 AND {filters.status_at("$2")} = 'RELEASED'
            RETURNING i.account_id, i.id, i.expires_at, i.renewal_mode""",
        account_ids,
        now,
    )
    return sorted(ExpiredInstance(*row) for row in rows)
