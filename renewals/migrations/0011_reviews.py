"""Refunds are counted without a bound; a rotation of a secret stays known when the secret has ended."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

OVERLAP = "ALTER TABLE webhook_secrets ADD COLUMN overlap interval"
"""For how long those before it were to sign as well; null where it replaced none, or before this was kept."""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0010_refunds")]

    operations = [
        ops.AlterField("Instance", "refund_count", fields.IntField(default=0)),
        ops.AlterField("OrderLine", "refund_count", fields.IntField(default=0)),
        ops.RunSQL(OVERLAP, "ALTER TABLE webhook_secrets DROP COLUMN overlap"),
    ]
