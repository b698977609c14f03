"""A key says what it may be used for, what it is called, until when it holds, and whether it was revoked."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

ROLES = """
ALTER TABLE api_keys
  ALTER COLUMN role TYPE text COLLATE "C", ALTER COLUMN name TYPE text COLLATE "C",
  ADD CONSTRAINT role_is_known CHECK (role IN ('RENEWER', 'CALENDAR', 'OPERATOR')),
  ADD CONSTRAINT operators_have_no_account CHECK ((role = 'OPERATOR') = (account_id IS NULL));
CREATE INDEX api_keys_by_account ON api_keys (account_id, created_at);
CREATE UNIQUE INDEX api_keys_one_calendar ON api_keys (account_id) WHERE role = 'CALENDAR' AND revoked_at IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0004_tabs")]

    operations = [
        ops.AlterField(
            "ApiKey",
            "account",
            fields.ForeignKeyField(
                "renewals.Account",
                source_field="account_id",
                null=True,
                db_constraint=True,
                to_field="id",
                on_delete=fields.OnDelete.RESTRICT,
            ),
        ),
        # The keys that are there have these; each that is made later has its own.
        ops.AddField(
            "ApiKey", "role", fields.CharField(max_length=16, default="RENEWER", db_default="RENEWER")
        ),
        ops.AddField("ApiKey", "name", fields.TextField(default="", db_default="")),
        ops.AlterField("ApiKey", "role", fields.CharField(max_length=16, default="RENEWER")),
        ops.AlterField("ApiKey", "name", fields.TextField(default="")),
        ops.AddField("ApiKey", "expires_at", fields.DatetimeField(null=True)),
        ops.AddField("ApiKey", "revoked_at", fields.DatetimeField(null=True)),
        ops.RunSQL(ROLES, ops.RunSQL.noop),
    ]
