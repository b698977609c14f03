"""The operators' audit log and the health check's own table."""

import uuid

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from renewals.db.models.accounts import ApiKey


class AuditEntry(Model):
    """A change by an operator, written by `operators.audit_log` and never changed afterwards.

    `answer` is the response to a repeated idempotency key.
    """

    id = fields.BigIntField(primary_key=True)
    operator_key: fields.ForeignKeyNullableRelation[ApiKey] = fields.ForeignKeyField(
        "renewals.ApiKey", on_delete=fields.RESTRICT, null=True
    )
    operator_key_id: uuid.UUID | None
    operator_name = fields.TextField()
    # The issuer of the operator's token; null for an API key or the command line.
    operator_issuer = fields.TextField(null=True)
    action = fields.CharField(max_length=32)
    account_ids: fields.Field[list[str]] = ArrayField(element_type="text")
    idempotency_key = fields.CharField(max_length=64)
    request_hash = fields.BinaryField()
    request = fields.JSONField[dict[str, object]]()
    before = fields.JSONField[object](null=True)
    after = fields.JSONField[object](null=True)
    answer = fields.JSONField[dict[str, object]]()
    created_at = fields.DatetimeField()

    class Meta:
        table = "audit_log"


class WriteCheck(Model):
    """A single row, updated by `health.checks` to find out whether the database accepts writes."""

    id = fields.SmallIntField(primary_key=True, generated=False)
    checked_at = fields.DatetimeField()

    class Meta:
        table = "write_checks"
