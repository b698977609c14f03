"""The tables. Money is in cents, instants in UTC; what a model cannot say (checks, partial indexes,
collations) is in `migrations/`. Each table has one writer, named in its docstring.

Only there, for their keys are not a model's: `events` and `event_streams` (written by `events.event_log`),
`reminders` (by `alerts.expiry_reminders`), `account_watches` (by `alerts.balance_alerts`), `webhook_endpoints` (by
`webhooks.endpoints`), `webhook_secrets` (by `webhooks.secrets`), `webhook_cursors` (by `events.webhook_cursors`),
`webhook_deliveries` (by `webhooks.deliveries`), `webhook_states` (by `webhooks.claims`).
"""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model

from renewals.domain import model


class Account(Model):
    """Written by `accounts.repository`."""

    id = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    currency = fields.CharField(max_length=3)
    time_zone = fields.TextField()
    balance_cents = fields.BigIntField(default=0)
    ledger_number = fields.BigIntField(default=0)
    lead_days = fields.SmallIntField(null=True)
    price_rise_cap_bps = fields.IntField(null=True)
    auto_renew_from = fields.DatetimeField()
    # The demo account, of which alone `demo.reset` may delete what was paid; set before it holds anything.
    is_demo = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()

    class Meta:
        table = "accounts"


class WriteCheck(Model):
    """Written by `health.checks`: a single row, changed to see whether the database takes writes."""

    id = fields.SmallIntField(primary_key=True, generated=False)
    checked_at = fields.DatetimeField()

    class Meta:
        table = "write_checks"


class ApiKey(Model):
    """Written by `accounts.api_keys`.

    The key of an operator has no account.
    """

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT, null=True
    )
    role = fields.CharField(max_length=16, default="RENEWER")
    name = fields.TextField(default="")
    prefix = fields.CharField(max_length=16)
    secret_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    # Noted now and then, not at every use.
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_keys"


class Product(Model):
    """Written by `catalog`."""

    code = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    name_zh = fields.TextField()
    renewable = fields.BooleanField()
    unsupported_reason = fields.TextField(null=True)
    max_term_months = fields.IntField()
    retention_days = fields.IntField()

    class Meta:
        table = "products"


class DiscountTier(Model):
    """Written by `catalog`."""

    id = fields.BigIntField(primary_key=True)
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "renewals.Product",
        on_delete=fields.RESTRICT,
        related_name="tiers",
        to_field="code",
        source_field="product_code",
    )
    months = fields.IntField()
    discount_bps = fields.IntField()

    class Meta:
        table = "discount_tiers"


class DataCenter(Model):
    """Written by `catalog`."""

    code = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    type = fields.CharEnumField(model.DataCenterType, max_length=16)

    class Meta:
        table = "data_centers"


class Bundle(Model):
    """Written by `instances.repository`."""

    id = fields.CharField(max_length=64, primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    name = fields.TextField()

    class Meta:
        table = "bundles"


class Instance(Model):
    """Written by `instances.repository`. `id` is the provider's; no `expires_at` means no expiry."""

    id = fields.CharField(max_length=64, primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    name = fields.TextField()
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "renewals.Product", on_delete=fields.RESTRICT, to_field="code", source_field="product_code"
    )
    data_center: fields.ForeignKeyRelation[DataCenter] = fields.ForeignKeyField(
        "renewals.DataCenter", on_delete=fields.RESTRICT, to_field="code", source_field="data_center_code"
    )
    configuration = fields.JSONField[list[dict[str, str]]]()
    billing_mode = fields.CharEnumField(model.BillingMode, max_length=16)
    is_trial = fields.BooleanField()
    status = fields.CharEnumField(model.InstanceStatus, max_length=16)
    renewal_mode = fields.CharEnumField(model.RenewalMode, max_length=16)
    auto_renew_months = fields.SmallIntField()
    expires_at = fields.DatetimeField(null=True)
    anchor_day = fields.SmallIntField(null=True)
    monthly_price_cents = fields.BigIntField()
    # What the customer last paid or agreed to, where the price is another one by now.
    agreed_price_cents = fields.BigIntField(null=True)
    bundle: fields.ForeignKeyNullableRelation[Bundle] = fields.ForeignKeyField(
        "renewals.Bundle", on_delete=fields.RESTRICT, null=True
    )
    created_at = fields.DatetimeField()
    # How many of its periods were refunded; a line has the count that there was when it was written.
    refund_count = fields.IntField(default=0)

    class Meta:
        table = "instances"


class Voucher(Model):
    """Written by `accounts.vouchers`. Without product codes it pays for every product."""

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    face_cents = fields.BigIntField()
    available_cents = fields.BigIntField()
    expires_at = fields.DatetimeField()
    product_codes: fields.Field[list[str]] = ArrayField(element_type="text")
    created_at = fields.DatetimeField()

    class Meta:
        table = "vouchers"


class Order(Model):
    """Written by `orders`. `request_hash` and `refusals` are what a repeated key is answered with."""

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    kind = fields.CharEnumField(model.OrderKind, max_length=16)
    total_cents = fields.BigIntField()
    voucher_cents = fields.BigIntField()
    balance_cents = fields.BigIntField()
    idempotency_key = fields.CharField(max_length=64, null=True)
    request_hash = fields.BinaryField(null=True)
    refusals = fields.JSONField[list[dict[str, object]]]()
    created_at = fields.DatetimeField()

    class Meta:
        table = "orders"


class OrderLine(Model):
    """Written by `orders`. One paid period of one instance; a second of the same start needs a refund between."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT
    )
    instance: fields.ForeignKeyRelation[Instance] = fields.ForeignKeyField(
        "renewals.Instance", on_delete=fields.RESTRICT
    )
    starts_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    months = fields.IntField()
    days = fields.IntField()
    list_cents = fields.BigIntField()
    price_cents = fields.BigIntField()
    # What a refund gives back; null in a line from before it was kept.
    anchor_day_before = fields.SmallIntField(null=True)
    refund_count = fields.IntField(default=0)

    class Meta:
        table = "order_lines"
        unique_together = (("instance", "starts_at", "refund_count"),)


class LedgerEntry(Model):
    """Written by `accounts.ledger`. With a voucher it moves that voucher, without one the balance; never changed."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    number = fields.BigIntField()
    kind = fields.CharEnumField(model.LedgerEntryKind, max_length=16)
    amount_cents = fields.BigIntField()
    balance_after_cents = fields.BigIntField()
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT, null=True
    )
    voucher: fields.ForeignKeyNullableRelation[Voucher] = fields.ForeignKeyField(
        "renewals.Voucher", on_delete=fields.RESTRICT, null=True
    )
    memo = fields.TextField()
    # The row of `refunds`, which has no model; set for the kind REFUND.
    refund_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "ledger_entries"
        unique_together = (("account", "number"),)


class RenewalRun(Model):
    """Written by `auto_renewal.runs`. `clock_at` is set where an operator gave the run its clock.

    `broken_rules` is set once all was verified after it: empty, if it adds up.
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


class RenewalChunk(Model):
    """Written by `auto_renewal.runs`. The accounts of a run that are done in one transaction.

    With an error, it is one account that is parked until the next run.
    """

    id = fields.BigIntField(primary_key=True)
    run: fields.ForeignKeyRelation[RenewalRun] = fields.ForeignKeyField(
        "renewals.RenewalRun", on_delete=fields.RESTRICT
    )
    number = fields.IntField()
    account_ids: fields.Field[list[str]] = ArrayField(element_type="text")
    due_count = fields.IntField()
    done_at = fields.DatetimeField(null=True)
    renewed_count = fields.IntField(default=0)
    refused_count = fields.IntField(default=0)
    skipped_count = fields.IntField(default=0)
    amount_cents = fields.BigIntField(default=0)
    error = fields.TextField(null=True)

    class Meta:
        table = "renewal_chunks"
        unique_together = (("run", "number"),)


class RenewalAttempt(Model):
    """Written by `auto_renewal.renew`. One try of the worker to renew one instance."""

    id = fields.BigIntField(primary_key=True)
    run: fields.ForeignKeyRelation[RenewalRun] = fields.ForeignKeyField(
        "renewals.RenewalRun", on_delete=fields.RESTRICT
    )
    instance: fields.ForeignKeyRelation[Instance] = fields.ForeignKeyField(
        "renewals.Instance", on_delete=fields.RESTRICT
    )
    due_at = fields.DatetimeField()
    attempted_at = fields.DatetimeField()
    succeeded = fields.BooleanField()
    code = fields.CharField(max_length=32, null=True)
    message = fields.TextField(null=True)
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT, null=True
    )

    class Meta:
        table = "renewal_attempts"
        unique_together = (("run", "instance"),)


class AuditEntry(Model):
    """Written by `audit_log`. What an operator did, never changed; `answer` is what a repeated key is answered with."""

    id = fields.BigIntField(primary_key=True)
    operator_key: fields.ForeignKeyNullableRelation[ApiKey] = fields.ForeignKeyField(
        "renewals.ApiKey", on_delete=fields.RESTRICT, null=True
    )
    operator_name = fields.TextField()
    # Whose token named the operator; null: a key, or the command line.
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
