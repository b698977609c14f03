"""The list of a tab is found by an index, in its order."""

from tortoise import migrations
from tortoise.migrations import operations as ops

BY_MODE = "CREATE INDEX instances_by_mode ON instances (account_id, renewal_mode, (coalesce(expires_at, 'infinity')), id)"


class Migration(migrations.Migration):
    dependencies = [("renewals", "0003_parking")]

    operations = [ops.RunSQL(BY_MODE, "DROP INDEX instances_by_mode")]
