"""Orders, refunds and the ledger."""

import uuid

from tortoise import fields
from tortoise.models import Model

from renewals.db.models.accounts import Account, Voucher
from renewals.db.models.instances import Instance
from renewals.domain import model


class Order(Model):
    """A paid order, written by `orders`.

    `request_hash` and `refusals` are needed to answer a request with a repeated idempotency key (rule 18).
    """

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
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
    """One paid period of one instance, written by `orders`.

    A second line with the same instance and start is possible only after a refund of the first (rule 23).
    """

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT
    )
    order_id: uuid.UUID
    instance: fields.ForeignKeyRelation[Instance] = fields.ForeignKeyField(
        "renewals.Instance", on_delete=fields.RESTRICT
    )
    instance_id: str
    starts_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    months = fields.IntField()
    days = fields.IntField()
    list_cents = fields.BigIntField()
    price_cents = fields.BigIntField()
    # The anchor day that a refund restores.
    anchor_day_before = fields.SmallIntField()
    refund_count = fields.IntField(default=0)

    class Meta:
        table = "order_lines"
        unique_together = (("instance", "starts_at", "refund_count"),)


class Refund(Model):
    """A refund of order lines, written by `operators.refunds` and never changed; its lines are in `refund_lines`."""

    id = fields.UUIDField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.NO_ACTION
    )
    order_id: uuid.UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.NO_ACTION
    )
    account_id: str
    total_cents = fields.BigIntField()
    voucher_cents = fields.BigIntField()
    balance_cents = fields.BigIntField()
    reason = fields.TextField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "refunds"


class LedgerEntry(Model):
    """A change of a voucher, or of the balance if `voucher` is None, written by `accounts.ledger` and never changed."""

    id = fields.BigIntField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
    number = fields.BigIntField()
    kind = fields.CharEnumField(model.LedgerEntryKind, max_length=16)
    amount_cents = fields.BigIntField()
    balance_after_cents = fields.BigIntField()
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "renewals.Order", on_delete=fields.RESTRICT, null=True
    )
    order_id: uuid.UUID | None
    voucher: fields.ForeignKeyNullableRelation[Voucher] = fields.ForeignKeyField(
        "renewals.Voucher", on_delete=fields.RESTRICT, null=True
    )
    voucher_id: uuid.UUID | None
    memo = fields.TextField()
    # The id of a `Refund`, set for the kind REFUND.
    refund_id = fields.UUIDField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "ledger_entries"
        unique_together = (("account", "number"),)
