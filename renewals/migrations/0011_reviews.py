"""Refunds are counted without a bound."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("renewals", "0010_refunds")]

    operations = [
        ops.AlterField("Instance", "refund_count", fields.IntField(default=0)),
        ops.AlterField("OrderLine", "refund_count", fields.IntField(default=0)),
    ]
