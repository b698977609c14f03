"""A key may only look; when it was last used is known; an operator may be named by a token's issuer."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

KEYS = """
ALTER TABLE api_keys
  DROP CONSTRAINT role_is_known,
  ADD CONSTRAINT role_is_known CHECK (role IN ('RENEWER', 'VIEWER', 'CALENDAR', 'OPERATOR'));
CREATE INDEX api_keys_by_prefix ON api_keys (prefix)
"""

ISSUERS = """
ALTER TABLE audit_log
  ALTER COLUMN operator_issuer TYPE text COLLATE "C",
  ADD CONSTRAINT operator_has_a_key_or_an_issuer CHECK (operator_key_id IS NULL OR operator_issuer IS NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0011_reviews")]

    operations = [
        ops.AddField("ApiKey", "last_used_at", fields.DatetimeField(null=True)),
        ops.AddField("AuditEntry", "operator_issuer", fields.TextField(null=True)),
        ops.RunSQL(KEYS, ops.RunSQL.noop),
        ops.RunSQL(ISSUERS, ops.RunSQL.noop),
    ]
