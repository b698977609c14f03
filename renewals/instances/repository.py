"""This module alone writes `instances` and `bundles`."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model, planning, registration, registration_report
from renewals.instances import filters

COLUMNS = ", ".join(f"i.{name}" for name in model.Instance._fields)
"""The columns of `model.Instance` in its order, from `instances i`."""


def columns_with_status(now: str) -> str:
    """COLUMNS with the status as it is at a placeholder's instant, noted or not."""
    return COLUMNS.replace("i.status", f"{filters.status_at(now)} AS status")


class ExpiredInstance(NamedTuple):
    """An instance that expired or was released."""

    account_id: str
    id: str
    expires_at: dt.datetime
    renewal_mode: str


AccountBatch = tuple[model.Account, Sequence[registration_report.ReportedInstance], Mapping[str, str]]
"""A locked account, what is reported of its instances, and its bundles (name by id) that are new or renamed."""


async def register(
    connection: database.Connection,
    account: model.Account,
    reported: Sequence[registration_report.ReportedInstance],
    bundles: Mapping[str, str],
    now: dt.datetime,
) -> registration.RegistrationResult:
    """Adds instances and changes those that are there, with the bundles (name by id) they belong to.

    What is refused is in the answer, and not written. The account must be locked in this transaction.
    """
    [found] = await register_all(connection, [(account, reported, bundles)], now)
    return found


async def register_all(
    connection: database.Connection, parts: Sequence[AccountBatch], now: dt.datetime, *, is_part: bool = False
) -> list[registration.RegistrationResult]:
    """The same of several accounts, in as many statements as of one; no id may be there for two of them."""
    known = await _read_known(connection, parts, now, is_part=is_part)
    found = [
        registration.plan_registration(
            reported, bundles, dataclasses.replace(known, account_id=account.id, zone=account.zone)
        )
        for account, reported, bundles in parts
    ]
    await _put_bundles(connection, found)
    await database.execute(
        connection,
        f"""INSERT INTO instances ({", ".join(registration.InstanceRow._fields)})
            SELECT * FROM unnest({_ROW_TYPES})""",
        *sql.transpose(
            [row for each in found for row in each.created], len(registration.InstanceRow._fields)
        ),
    )
    await update_instances(connection, [row for each in found for _, row in each.changed])
    return found


_ROW_TYPES = ", ".join(
    f"${number}::{of_type}[]"
    for number, of_type in enumerate(
        ("text", "text", "text", "text", "text", "jsonb", "text", "boolean", "text", "text", "int", "timestamptz",
         "int", "bigint", "bigint", "text", "timestamptz"), 1)
)  # fmt: skip
"""The types of `registration.InstanceRow`, as unnest() takes them."""

_CHANGEABLE = (
    "name", "data_center_code", "configuration", "is_trial", "status", "expires_at", "anchor_day",
    "monthly_price_cents", "agreed_price_cents",
)  # fmt: skip


async def update_instances(connection: database.Connection, rows: Sequence[registration.InstanceRow]) -> None:
    """Writes what the provider may change of instances of locked accounts."""
    fields = registration.InstanceRow._fields
    await database.execute(
        connection,
        f"""UPDATE instances i SET {", ".join(f"{name} = u.{name}" for name in _CHANGEABLE)}
            FROM unnest({_ROW_TYPES}) AS u({", ".join(fields)}) WHERE i.id = u.id""",
        *sql.transpose(rows, len(fields)),
    )


async def read_rows(
    connection: database.Connection, instance_ids: Sequence[str], bundle_ids: Sequence[str] = ()
) -> list[registration.InstanceRow]:
    """Instances, and all members of bundles, as their rows have them, of whatever account."""
    rows = await database.fetch(
        connection,
        f"""SELECT {", ".join(f"i.{name}" for name in registration.InstanceRow._fields)} FROM instances i
            WHERE i.id IN (
              SELECT unnest($1::text[]) UNION SELECT m.id FROM instances m WHERE m.bundle_id = ANY($2)
              UNION SELECT m.id FROM instances b JOIN instances m ON m.bundle_id = b.bundle_id
                    WHERE b.id = ANY($1))""",
        sql.storable_texts(instance_ids),
        sql.storable_texts(bundle_ids),
    )
    return [registration.InstanceRow(*row) for row in rows]


async def _read_known(
    connection: database.Connection, parts: Sequence[AccountBatch], now: dt.datetime, *, is_part: bool
) -> registration.RegistrationContext:
    """What is there of all parts, as the first of the accounts sees it."""
    named = {bundle_id for _, _, bundles in parts for bundle_id in bundles}
    used = {each.bundle_id for _, reported, _ in parts for each in reported if each.bundle_id is not None}
    bundle_ids = sorted(named | used)
    rows = await read_rows(connection, [each.id for _, reported, _ in parts for each in reported], bundle_ids)
    members: dict[str, list[registration.InstanceRow]] = {}
    for row in rows:
        if row.bundle_id is not None:
            members.setdefault(row.bundle_id, []).append(row)
    paid = await database.fetch(
        connection,
        """SELECT u.id FROM unnest($1::text[]) AS u(id)
           WHERE EXISTS (SELECT FROM order_lines l WHERE l.instance_id = u.id)""",
        [row.id for row in rows],
    )
    known = await database.fetch(
        connection,
        "SELECT id, account_id, name FROM bundles WHERE id = ANY($1)",
        sql.storable_texts(bundle_ids),
    )
    codes = await database.fetch(
        connection,
        "SELECT 'product' AS of, code FROM products UNION ALL SELECT 'data centre', code FROM data_centers",
    )
    return registration.RegistrationContext(
        account_id=parts[0][0].id,
        zone=parts[0][0].zone,
        now=now,
        is_part=is_part,
        members=members,
        rows={row.id: row for row in rows},
        paid_ids=frozenset(row["id"] for row in paid),
        bundles={row["id"]: registration.BundleRow(*row) for row in known},
        product_codes=frozenset(row["code"] for row in codes if row["of"] == "product"),
        data_center_codes=frozenset(row["code"] for row in codes if row["of"] == "data centre"),
    )


async def _put_bundles(
    connection: database.Connection, found: Sequence[registration.RegistrationResult]
) -> None:
    await database.execute(
        connection,
        "INSERT INTO bundles (id, account_id, name) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])",
        *sql.transpose([bundle for each in found for bundle in each.new_bundles], 3),
    )
    await database.execute(
        connection,
        """UPDATE bundles b SET name = u.name FROM unnest($1::text[], $2::text[], $3::text[]) AS u(id, account_id, name)
           WHERE b.id = u.id AND b.account_id = u.account_id""",
        *sql.transpose([bundle for each in found for bundle in each.renamed_bundles], 3),
    )


async def find_running(connection: database.Connection, instance_ids: Sequence[str]) -> frozenset[str]:
    """Those of the instances that are noted as RUNNING, whatever the clock says."""
    rows = await database.fetch(
        connection, "SELECT id FROM instances WHERE id = ANY($1) AND status = 'RUNNING'", instance_ids
    )
    return frozenset(row["id"] for row in rows)


async def apply_renewals(connection: database.Connection, lines: Iterable[planning.RenewalLine]) -> None:
    """Gives each instance its new expiry and anchor; an expired one runs again (rule 22).

    Whoever pays its price has agreed to it.
    """
    rows = [(line.instance.id, line.expires_at, line.anchor_day) for line in lines]
    await database.execute(
        connection,
        """UPDATE instances i SET expires_at = u.expires_at, anchor_day = u.anchor_day, status = 'RUNNING',
             agreed_price_cents = NULL
           FROM unnest($1::text[], $2::timestamptz[], $3::int[]) AS u(id, expires_at, anchor_day)
           WHERE i.id = u.id""",
        *sql.transpose(rows, 3),
    )


async def revert_renewals(connection: database.Connection, refunded: Sequence[model.Instance]) -> None:
    """Gives instances the expiry, the anchor and the count that they have after a refund."""
    rows = [(each.id, each.expires_at, each.anchor_day, each.refund_count) for each in refunded]
    await database.execute(
        connection,
        """UPDATE instances i SET expires_at = u.expires_at, anchor_day = u.anchor_day,
             refund_count = u.refund_count
           FROM unnest($1::text[], $2::timestamptz[], $3::int[], $4::int[])
             AS u(id, expires_at, anchor_day, refund_count)
           WHERE i.id = u.id""",
        *sql.transpose(rows, 4),
    )


async def set_policy(
    connection: database.Connection,
    instance_ids: Sequence[str],
    mode: model.RenewalMode,
    auto_renew_months: int | None,
) -> None:
    """Sets the mode, and autoRenewMonths where given; whoever sets AUTO agrees to the price."""
    await database.execute(
        connection,
        """UPDATE instances SET renewal_mode = $2, auto_renew_months = coalesce($3, auto_renew_months),
             agreed_price_cents = CASE WHEN $2 = 'AUTO' THEN NULL ELSE agreed_price_cents END
           WHERE id = ANY($1)""",
        instance_ids,
        mode,
        auto_renew_months,
    )


async def expire(
    connection: database.Connection, account_ids: Sequence[str], now: dt.datetime
) -> list[ExpiredInstance]:
    """Marks EXPIRED what ran out, whatever its mode, and answers it (rule 22)."""
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
    """Marks RELEASED what has outlived its retention, and answers it (rule 22)."""
    rows = await database.fetch(
        connection,
        f"""UPDATE instances i SET status = 'RELEASED' WHERE i.account_id = ANY($1) AND i.status = 'EXPIRED'
              AND i.expires_at < $2 AND {filters.status_at("$2")} = 'RELEASED'
            RETURNING i.account_id, i.id, i.expires_at, i.renewal_mode""",
        account_ids,
        now,
    )
    return sorted(ExpiredInstance(*row) for row in rows)
