"""Refunds are counted without a bound; a rotation of a secret stays known; slow endpoints are known as such."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

OVERLAP = "ALTER TABLE webhook_secrets ADD COLUMN overlap interval"
"""For how long those before it were to sign as well; null where it replaced none, or before this was kept."""

SLOW = "ALTER TABLE webhook_states ADD COLUMN is_slow boolean NOT NULL DEFAULT false"


class Migration(migrations.Migration):
    dependencies = [("renewals", "0010_refunds")]

    operations = [
        ops.AlterField("Instance", "refund_count", fields.IntField(default=0)),
        ops.AlterField("OrderLine", "refund_count", fields.IntField(default=0)),
        ops.RunSQL(OVERLAP, "ALTER TABLE webhook_secrets DROP COLUMN overlap"),
        ops.RunSQL(SLOW, "ALTER TABLE webhook_states DROP COLUMN is_slow"),
    ]
