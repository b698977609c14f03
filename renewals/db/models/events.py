"""Event streams, alerts and webhook endpoints."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from renewals.db.models.accounts import Account


class EventStream(Model):
    """The number of an account's latest event, written by `events.event_log`."""

    account_id = fields.CharField(max_length=64, primary_key=True)
    last_sequence = fields.BigIntField()

    class Meta:
        table = "event_streams"


class Reminder(Model):
    """The latest expiry reminder of an instance, written by `alerts.expiry_reminders`.

    `days` is one of `expiry_reminders.DAYS_BEFORE`: the number of days before the last day at which it became due.
    """

    instance_id = fields.CharField(max_length=64, primary_key=True)
    expires_at = fields.DatetimeField()
    days = fields.SmallIntField()

    class Meta:
        table = "reminders"


class AccountWatch(Model):
    """The state of an account at its latest check and at its latest alert, written by `alerts.balance_alerts`.

    `seen_sequence` is -1 if the account must be checked again.
    """

    account_id = fields.CharField(max_length=64, primary_key=True)
    seen_on = fields.DateField()
    seen_sequence = fields.BigIntField()
    seen_ledger_number = fields.BigIntField()
    told_sequence = fields.BigIntField(null=True)
    told_ledger_number = fields.BigIntField(null=True)

    class Meta:
        table = "account_watches"


class WebhookEndpoint(Model):
    """A URL to which events are sent, written by `webhooks.endpoints`.

    An endpoint without an account is the provider's. An endpoint without event types receives events of all types.
    """

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.NO_ACTION, null=True
    )
    account_id: str | None
    url = fields.TextField()
    event_types: fields.Field[list[str]] = ArrayField(element_type="text")
    disabled_reason: dict[str, object] | None = fields.JSONField[dict[str, object]](null=True)
    created_at = fields.DatetimeField()
    changed_at = fields.DatetimeField()
    idempotency_key = fields.CharField(max_length=64)
    request_hash = fields.BinaryField()

    class Meta:
        table = "webhook_endpoints"


class WebhookState(Model):
    """The progress of deliveries to an endpoint and the claim on the endpoint, written by `webhooks.claims`.

    `webhooks.deliveries` deletes the rows of deleted endpoints.
    """

    endpoint_id = fields.UUIDField(primary_key=True)
    claim = fields.UUIDField(null=True)
    claimed_until = fields.DatetimeField(null=True)
    last_turn_at = fields.DatetimeField(null=True)
    last_account_id = fields.TextField(default="")
    failure_count = fields.IntField(default=0)
    pause_count = fields.IntField(default=0)
    paused_until = fields.DatetimeField(null=True)
    failing_since = fields.DatetimeField(null=True)
    last_attempted_at = fields.DatetimeField(null=True)
    last_delivered_at = fields.DatetimeField(null=True)
    last_status = fields.SmallIntField(null=True)
    last_error = fields.JSONField[dict[str, object]](null=True)
    last_response = fields.TextField(null=True)
    delivered_count = fields.BigIntField(default=0)
    is_slow = fields.BooleanField(default=False)

    class Meta:
        table = "webhook_states"
