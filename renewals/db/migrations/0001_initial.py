"""Create all tables: generated from the models by Tortoise, and completed by `initial.sql`."""

from pathlib import Path
from uuid import uuid4

from orjson import loads
from tortoise import fields, migrations
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops

from renewals.domain.model import (
    BillingMode,
    InstanceStatus,
    LedgerEntryKind,
    OrderKind,
    RenewalMode,
)

INITIAL_SQL = Path(__file__).with_name("initial.sql").read_text(encoding="utf-8")
"""SQL that a model cannot express: collations, checks, partial indexes, triggers, tables with composite keys."""


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="Account",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("currency", fields.CharField(max_length=3)),
                ("time_zone", fields.TextField(unique=False)),
                ("balance_cents", fields.BigIntField(default=0)),
                ("ledger_number", fields.BigIntField(default=0)),
                ("lead_days", fields.SmallIntField(null=True)),
                ("price_rise_cap_bps", fields.IntField(null=True)),
                ("auto_renew_from", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("language", fields.CharField(default="en", max_length=2)),
                ("is_demo", fields.BooleanField(default=False)),
                ("test_clock", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "accounts", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AccountWatch",
            fields=[
                ("account_id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("seen_on", fields.DateField()),
                ("seen_sequence", fields.BigIntField()),
                ("seen_ledger_number", fields.BigIntField()),
                ("told_sequence", fields.BigIntField(null=True)),
                ("told_ledger_number", fields.BigIntField(null=True)),
            ],
            options={"table": "account_watches", "app": "renewals", "pk_attr": "account_id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ApiKey",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("role", fields.CharField(default="RENEWER", max_length=16)),
                ("name", fields.TextField(default="", unique=False)),
                ("prefix", fields.CharField(max_length=16)),
                ("secret_hash", fields.BinaryField()),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={"table": "api_keys", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
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
                ("operator_issuer", fields.TextField(null=True, unique=False)),
                ("action", fields.CharField(max_length=32)),
                ("account_ids", ArrayField(element_type="TEXT")),
                ("idempotency_key", fields.CharField(max_length=64)),
                ("request_hash", fields.BinaryField()),
                ("request", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("before", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("after", fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
                ("answer", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "audit_log", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Bundle",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.TextField(unique=False)),
            ],
            options={"table": "bundles", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DataCenterType",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("name_zh", fields.TextField(unique=False)),
            ],
            options={"table": "data_center_types", "app": "renewals", "pk_attr": "code"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DataCenter",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("name", fields.TextField(unique=False)),
                (
                    "type",
                    fields.ForeignKeyField(
                        "renewals.DataCenterType",
                        source_field="type_code",
                        db_constraint=True,
                        to_field="code",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={"table": "data_centers", "app": "renewals", "pk_attr": "code"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EventStream",
            fields=[
                ("account_id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("last_sequence", fields.BigIntField()),
            ],
            options={"table": "event_streams", "app": "renewals", "pk_attr": "account_id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Order",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="MANUAL_RENEWAL: MANUAL_RENEWAL\nAUTO_RENEWAL: AUTO_RENEWAL\nUNIFY_EXPIRY: UNIFY_EXPIRY",
                        enum_type=OrderKind,
                        max_length=16,
                    ),
                ),
                ("total_cents", fields.BigIntField()),
                ("voucher_cents", fields.BigIntField()),
                ("balance_cents", fields.BigIntField()),
                ("idempotency_key", fields.CharField(null=True, max_length=64)),
                ("request_hash", fields.BinaryField(null=True)),
                ("refusals", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "orders", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Product",
            fields=[
                ("code", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("name", fields.TextField(unique=False)),
                ("name_zh", fields.TextField(unique=False)),
                ("renewable", fields.BooleanField()),
                ("unsupported_reason", fields.TextField(null=True, unique=False)),
                ("unsupported_reason_zh", fields.TextField(null=True, unique=False)),
                ("max_term_months", fields.IntField()),
                ("retention_days", fields.IntField()),
            ],
            options={"table": "products", "app": "renewals", "pk_attr": "code"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DiscountTier",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "renewals.Product",
                        source_field="product_code",
                        db_constraint=True,
                        to_field="code",
                        related_name="tiers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("months", fields.IntField()),
                ("discount_bps", fields.IntField()),
            ],
            options={"table": "discount_tiers", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Instance",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.TextField(unique=False)),
                (
                    "product",
                    fields.ForeignKeyField(
                        "renewals.Product",
                        source_field="product_code",
                        db_constraint=True,
                        to_field="code",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "data_center",
                    fields.ForeignKeyField(
                        "renewals.DataCenter",
                        source_field="data_center_code",
                        db_constraint=True,
                        to_field="code",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("configuration", fields.JSONField(encoder=JSON_DUMPS, decoder=loads)),
                (
                    "billing_mode",
                    fields.CharEnumField(
                        description="PREPAID: PREPAID\nONE_OFF: ONE_OFF\nPAY_AS_YOU_GO: PAY_AS_YOU_GO",
                        enum_type=BillingMode,
                        max_length=16,
                    ),
                ),
                ("is_trial", fields.BooleanField()),
                (
                    "status",
                    fields.CharEnumField(
                        description="RUNNING: RUNNING\nEXPIRED: EXPIRED\nRELEASED: RELEASED",
                        enum_type=InstanceStatus,
                        max_length=16,
                    ),
                ),
                (
                    "renewal_mode",
                    fields.CharEnumField(
                        description="MANUAL: MANUAL\nAUTO: AUTO\nNONE: NONE",
                        enum_type=RenewalMode,
                        max_length=16,
                    ),
                ),
                ("auto_renew_months", fields.SmallIntField()),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("anchor_day", fields.SmallIntField(null=True)),
                ("monthly_price_cents", fields.BigIntField()),
                ("agreed_price_cents", fields.BigIntField(null=True)),
                (
                    "bundle",
                    fields.ForeignKeyField(
                        "renewals.Bundle",
                        source_field="bundle_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("refund_count", fields.IntField(default=0)),
                ("tags", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
            ],
            options={"table": "instances", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OrderLine",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "renewals.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "instance",
                    fields.ForeignKeyField(
                        "renewals.Instance",
                        source_field="instance_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("starts_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("months", fields.IntField()),
                ("days", fields.IntField()),
                ("list_cents", fields.BigIntField()),
                ("price_cents", fields.BigIntField()),
                ("anchor_day_before", fields.SmallIntField(null=True)),
                ("refund_count", fields.IntField(default=0)),
            ],
            options={
                "table": "order_lines",
                "app": "renewals",
                "unique_together": (("instance", "starts_at", "refund_count"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "renewals.Order",
                        source_field="order_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                ("total_cents", fields.BigIntField()),
                ("voucher_cents", fields.BigIntField()),
                ("balance_cents", fields.BigIntField()),
                ("reason", fields.TextField(unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "refunds", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Reminder",
            fields=[
                (
                    "instance_id",
                    fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64),
                ),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("days", fields.SmallIntField()),
            ],
            options={"table": "reminders", "app": "renewals", "pk_attr": "instance_id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RenewalRun",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("trigger", fields.CharField(max_length=16)),
                ("scheduled_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("clock_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("started_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("ended_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("renewed_count", fields.IntField(default=0)),
                ("refused_count", fields.IntField(default=0)),
                ("skipped_count", fields.IntField(default=0)),
                ("amount_cents", fields.BigIntField(default=0)),
                ("parked_count", fields.IntField(null=True)),
                ("broken_rules", ArrayField(null=True, element_type="TEXT")),
            ],
            options={"table": "renewal_runs", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RenewalAttempt",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "run",
                    fields.ForeignKeyField(
                        "renewals.RenewalRun",
                        source_field="run_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "instance",
                    fields.ForeignKeyField(
                        "renewals.Instance",
                        source_field="instance_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("due_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("attempted_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("succeeded", fields.BooleanField()),
                ("code", fields.CharField(null=True, max_length=32)),
                ("message", fields.TextField(null=True, unique=False)),
                (
                    "order",
                    fields.ForeignKeyField(
                        "renewals.Order",
                        source_field="order_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "renewal_attempts",
                "app": "renewals",
                "unique_together": (("run", "instance"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RenewalChunk",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "run",
                    fields.ForeignKeyField(
                        "renewals.RenewalRun",
                        source_field="run_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("account_ids", ArrayField(element_type="TEXT")),
                ("due_count", fields.IntField()),
                ("done_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("renewed_count", fields.IntField(default=0)),
                ("refused_count", fields.IntField(default=0)),
                ("skipped_count", fields.IntField(default=0)),
                ("amount_cents", fields.BigIntField(default=0)),
                ("error", fields.TextField(null=True, unique=False)),
            ],
            options={
                "table": "renewal_chunks",
                "app": "renewals",
                "unique_together": (("run", "number"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Voucher",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("face_cents", fields.BigIntField()),
                ("available_cents", fields.BigIntField()),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("product_codes", ArrayField(element_type="TEXT")),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "vouchers", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.BigIntField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="TOP_UP: TOP_UP\nRENEWAL: RENEWAL\nREFUND: REFUND",
                        enum_type=LedgerEntryKind,
                        max_length=16,
                    ),
                ),
                ("amount_cents", fields.BigIntField()),
                ("balance_after_cents", fields.BigIntField()),
                (
                    "order",
                    fields.ForeignKeyField(
                        "renewals.Order",
                        source_field="order_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "voucher",
                    fields.ForeignKeyField(
                        "renewals.Voucher",
                        source_field="voucher_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("memo", fields.TextField(unique=False)),
                ("refund_id", fields.UUIDField(null=True)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "ledger_entries",
                "app": "renewals",
                "unique_together": (("account", "number"),),
                "pk_attr": "id",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookEndpoint",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "renewals.Account",
                        source_field="account_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        on_delete=OnDelete.NO_ACTION,
                    ),
                ),
                ("url", fields.TextField(unique=False)),
                ("event_types", ArrayField(element_type="TEXT")),
                ("disabled_reason", fields.TextField(null=True, unique=False)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("changed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("idempotency_key", fields.CharField(max_length=64)),
                ("request_hash", fields.BinaryField()),
            ],
            options={"table": "webhook_endpoints", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WebhookState",
            fields=[
                (
                    "endpoint_id",
                    fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True),
                ),
                ("claim", fields.UUIDField(null=True)),
                ("claimed_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_turn_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_account_id", fields.TextField(default="", unique=False)),
                ("failure_count", fields.IntField(default=0)),
                ("pause_count", fields.IntField(default=0)),
                ("paused_until", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("failing_since", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_attempted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_delivered_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("last_status", fields.SmallIntField(null=True)),
                ("last_error", fields.TextField(null=True, unique=False)),
                ("last_response", fields.TextField(null=True, unique=False)),
                ("delivered_count", fields.BigIntField(default=0)),
                ("is_slow", fields.BooleanField(default=False)),
            ],
            options={"table": "webhook_states", "app": "renewals", "pk_attr": "endpoint_id"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WriteCheck",
            fields=[
                ("id", fields.SmallIntField(generated=False, primary_key=True, unique=True, db_index=True)),
                ("checked_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={"table": "write_checks", "app": "renewals", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunSQL(INITIAL_SQL, ops.RunSQL.noop),
    ]
