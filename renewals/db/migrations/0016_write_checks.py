"""Whether the database takes writes is seen by changing a row of this table."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("renewals", "0015_demo")]

    operations = [
        ops.CreateModel(
            name="WriteCheck",
            fields=[
                (
                    "id",
                    fields.SmallIntField(generated=False, primary_key=True, unique=True, db_index=True),
                ),
                ("checked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "write_checks",
                "app": "renewals",
                "pk_attr": "id",
                "table_description": "Written by `health.checks`: a single row, changed to see whether the database takes writes.",
            },
            bases=["Model"],
        ),
    ]
