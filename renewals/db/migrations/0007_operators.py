"""What the provider's operators did is kept for good; a price that the customer has not agreed to is known as that."""

from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

AUDIT_LOG = """
ALTER TABLE audit_log
  ALTER COLUMN operator_name TYPE text COLLATE "C", ALTER COLUMN action TYPE text COLLATE "C",
  ALTER COLUMN idempotency_key TYPE text COLLATE "C",
  ALTER COLUMN request TYPE json, ALTER COLUMN before TYPE json, ALTER COLUMN after TYPE json,
  ALTER COLUMN answer TYPE json;
CREATE UNIQUE INDEX audit_log_once_per_key ON audit_log (idempotency_key);
CREATE INDEX audit_log_by_account ON audit_log USING gin (account_ids);
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""
"""json, not jsonb: a refused row names the id that it was sent with, which may hold a NUL."""

PRICES = """
ALTER TABLE accounts
  ADD CONSTRAINT price_rise_cap_is_not_negative CHECK (price_rise_cap_bps >= 0);
ALTER TABLE instances
  ADD CONSTRAINT agreed_price_is_another CHECK (
    agreed_price_cents >= 0 AND agreed_price_cents <> monthly_price_cents)
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0006_events")]

    operations = [
        ops.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "operator_key",
                    fields.ForeignKeyField(
                        "renewals.ApiKey",
                        source_field="operator_key_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("operator_name", fields.TextField(unique=False)),
                ("action", fields.CharField(max_length=32)),
                ("account_ids", ArrayField(element_type="text")),
                ("idempotency_key", fields.CharField(max_length=64)),
                ("request_hash", fields.BinaryField()),
                ("request", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("before", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("after", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("answer", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "audit_log",
                "app": "renewals",
                "pk_attr": "id",
                "table_description": "Written by `audit_log`. What an operator did, never changed; `answer` is what a repeated key is answered with.",
            },
            bases=["Model"],
        ),
        ops.AddField("Account", "price_rise_cap_bps", fields.IntField(null=True)),
        ops.AddField("Instance", "agreed_price_cents", fields.BigIntField(null=True)),
        ops.RunSQL(AUDIT_LOG, ops.RunSQL.noop),
        ops.RunSQL(PRICES, ops.RunSQL.noop),
    ]
