"""Runs of the automatic renewal."""

import datetime as dt
import uuid

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from renewals.db.models.instances import Instance
from renewals.db.models.orders import Order


class RenewalRun(Model):
    """A run of the automatic renewals, written by `auto_renewal.runs`.

    `clock_at` is the fixed time of a `run-now` or test-clock run; None means the current time. `ended_at` is None
    while chunks are pending. `broken_rules` is None until the integrity rules have been checked after the run, and
    empty if all of them hold.
    """

    id = fields.BigIntField(primary_key=True)
    trigger = fields.CharField(max_length=16)
    scheduled_at = fields.DatetimeField()
    clock_at = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)
    renewed_count = fields.IntField(default=0)
    refused_count = fields.IntField(default=0)
    skipped_count = fields.IntField(default=0)
    amount_cents = fields.BigIntField(default=0)
    parked_count = fields.IntField(null=True)
    broken_rules: fields.Field[list[str] | None] = ArrayField(element_type="text", null=True)

    class Meta:
        table = "renewal_runs"

    @property
    def lateness(self) -> dt.timedelta:
        """The time from the scheduled start of the run to its actual start."""
        return self.started_at - self.scheduled_at


class RenewalChunk(Model):
    """A group of accounts of a run, which are renewed in one transaction, written by `auto_renewal.chunks`.

    A chunk with an error has one account, which is parked until the next run.
    """

    id = fields.BigIntField(primary_key=True)
    run: fields.ForeignKeyRelation[RenewalRun] = fields.ForeignKeyField(
        "renewals.RenewalRun", on_delete=fields.RESTRICT
    )
    run_id: int
    number = fields.IntField()
    account_ids: fields.Field[list[str]] = ArrayField(element_type="text")
    due_count = fields.IntField()
    done_at = fields.DatetimeField(null=True)
    renewed_count = fields.IntField(default=0)
    refused_count = fields.IntField(default=0)
    skipped_count = fields.IntField(default=0)
    amount_cents = fields.BigIntField(default=0)
    error: str | None = fields.TextField(null=True)

    class Meta:
        table = "renewal_chunks"
        unique_together = (("run", "number"),)


class RenewalAttempt(Model):
    """An attempt of a run to renew one instance, written by `auto_renewal.attempts`."""

    id = fields.BigIntField(primary_key=True)
    run: fields.ForeignKeyRelation[RenewalRun] = fields.ForeignKeyField(
        "renewals.RenewalRun", on_delete=fields.RESTRICT
    )
    run_id: int
    instance: fields.ForeignKeyRelation[Instance] = fields.ForeignKeyField(
        "renewals.Instance", on_delete=fields.RESTRICT
    )
    instance_id: str
    due_at = fields.DatetimeField()
    attempted_at = fields.DatetimeField()
    succeeded = fields.BooleanField()
    code = fields.CharField(max_length=32, null=True)
    message = fields.JSONField[dict[str, object]](null=True)
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT, null=True
    )
    order_id: uuid.UUID | None

    class Meta:
        table = "renewal_attempts"
        unique_together = (("run", "instance"),)
