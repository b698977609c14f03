"""An account whose data makes the engine raise is parked with its error; a run keeps what was found after it."""

from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("renewals", "0002_guards")]

    operations = [
        ops.AddField("RenewalChunk", "error", fields.TextField(null=True)),
        ops.RunSQL('ALTER TABLE renewal_chunks ALTER COLUMN error TYPE text COLLATE "C"', ops.RunSQL.noop),
        ops.AddField("RenewalRun", "parked_count", fields.IntField(null=True)),
        ops.AddField("RenewalRun", "broken_rules", ArrayField(element_type="text", null=True)),
    ]
