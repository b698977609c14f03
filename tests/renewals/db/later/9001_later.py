"""A later migration, for tests: it alters `renewal_chunks`."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("renewals", "0001_schema")]  # noqa: RUF012 - Tortoise reads it

    operations = [  # noqa: RUF012
        ops.RunSQL(
            "ALTER TABLE renewal_chunks ADD COLUMN later integer",
            "ALTER TABLE renewal_chunks DROP COLUMN later",
        )
    ]
