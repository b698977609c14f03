"""Refunds are counted without a bound; a rotation of a secret stays known; slow endpoints are known as such."""

from tortoise import migrations
from tortoise.migrations import operations as ops

COUNTS = """
ALTER TABLE instances ALTER COLUMN refund_count TYPE integer;
ALTER TABLE order_lines ALTER COLUMN refund_count TYPE integer
"""
"""For databases that have them as smallint; the others are left as they are."""

OVERLAP = "ALTER TABLE webhook_secrets ADD COLUMN overlap interval"
"""For how long those before it were to sign as well; null where it replaced none, or before this was kept."""

SLOW = "ALTER TABLE webhook_states ADD COLUMN is_slow boolean NOT NULL DEFAULT false"


class Migration(migrations.Migration):
    dependencies = [("renewals", "0010_refunds")]

    operations = [
        ops.RunSQL(COUNTS, ops.RunSQL.noop),
        ops.RunSQL(OVERLAP, "ALTER TABLE webhook_secrets DROP COLUMN overlap"),
        ops.RunSQL(SLOW, "ALTER TABLE webhook_states DROP COLUMN is_slow"),
    ]
