"""An account's automatic renewals begin at an instant, by default when it was made (rule 38)."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

WHEN_MADE = "UPDATE accounts SET auto_renew_from = created_at"


class Migration(migrations.Migration):
    dependencies = [("renewals", "0013_ledger_refunds")]

    operations = [
        ops.AddField("Account", "auto_renew_from", fields.DatetimeField(null=True)),
        ops.RunSQL(WHEN_MADE, ops.RunSQL.noop),
        ops.AlterField("Account", "auto_renew_from", fields.DatetimeField()),
    ]
