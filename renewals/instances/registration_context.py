"""Queries for the registration of instances: stored rows, bundles, paid instances, and the codes of the catalog."""

import datetime as dt
from collections.abc import Mapping, Sequence

from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import model, registration_report
from renewals.domain.registration_rows import BundleRow, InstanceRow, RegistrationContext

AccountBatch = tuple[model.Account, Sequence[registration_report.ReportedInstance], Mapping[str, str]]
"""A locked account, its reported instances, and its reported bundles (name by id)."""


async def read_rows(
    connection: database.Connection, instance_ids: Sequence[str], bundle_ids: Sequence[str] = ()
) -> list[InstanceRow]:
    """Return the rows of instances, of all members of their bundles, and of all members of the bundles `bundle_ids`.

    The rows may belong to any account.
    """
    rows = await database.fetch(
        connection,
        # A join instead of the inner IN would list the members of a bundle once for each reported member.
        f"""SELECT {", ".join(f"i.{name}" for name in InstanceRow._fields)} FROM instances i
            WHERE i.id IN (
              SELECT unnest($1::text[]) UNION SELECT m.id FROM instances m WHERE m.bundle_id = ANY($2)
              UNION SELECT m.id FROM instances m
                    WHERE m.bundle_id IN (SELECT b.bundle_id FROM instances b WHERE b.id = ANY($1)))""",
        sql.storable_texts(instance_ids),
        sql.storable_texts(bundle_ids),
    )
    return [InstanceRow(*row) for row in rows]


async def read_context(
    connection: database.Connection, batches: Sequence[AccountBatch], now: dt.datetime, *, is_part: bool
) -> RegistrationContext:
    """Return the stored rows that the batches concern, as a context for the account of the first batch.

    For every batch, the caller sets the id, the time zone and the current time of its account.
    """
    reported = [instance for _, instances, _ in batches for instance in instances]
    named_ids = {bundle_id for _, _, bundles in batches for bundle_id in bundles}
    used_ids = {instance.bundle_id for instance in reported if instance.bundle_id is not None}
    bundle_ids = sorted(named_ids | used_ids)
    rows = await read_rows(connection, [instance.id for instance in reported], bundle_ids)
    members: dict[str, list[InstanceRow]] = {}
    for row in rows:
        if row.bundle_id is not None:
            members.setdefault(row.bundle_id, []).append(row)
    bundle_rows = await database.fetch(
        connection,
        "SELECT id, account_id, name FROM bundles WHERE id = ANY($1)",
        sql.storable_texts(bundle_ids),
    )
    codes = await database.fetch(
        connection,
        "SELECT 'product' AS kind, code FROM products UNION ALL SELECT 'data center', code FROM data_centers",
    )
    return RegistrationContext(
        account_id=batches[0][0].id,
        zone=batches[0][0].zone,
        now=now,
        is_part=is_part,
        members=members,
        rows={row.id: row for row in rows},
        paid_ids=await _find_paid(connection, [row.id for row in rows]),
        bundles={row["id"]: BundleRow(*row) for row in bundle_rows},
        product_codes=frozenset(row["code"] for row in codes if row["kind"] == "product"),
        data_center_codes=frozenset(row["code"] for row in codes if row["kind"] == "data center"),
    )


async def _find_paid(connection: database.Connection, instance_ids: Sequence[str]) -> frozenset[str]:
    rows = await database.fetch(
        connection,
        """SELECT u.id FROM unnest($1::text[]) AS u(id)
           WHERE EXISTS (SELECT FROM order_lines l WHERE l.instance_id = u.id)""",
        instance_ids,
    )
    return frozenset(row["id"] for row in rows)
