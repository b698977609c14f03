"""Accounts, their API keys and vouchers."""

from tortoise import fields
from tortoise.contrib.postgres.fields import ArrayField
from tortoise.models import Model


class Account(Model):
    """A customer account, written by `accounts.repository`; `accounts.ledger` writes its balance and ledger number."""

    id = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    currency = fields.CharField(max_length=3)
    time_zone = fields.TextField()
    balance_cents = fields.BigIntField(default=0)
    ledger_number = fields.BigIntField(default=0)
    lead_days = fields.SmallIntField(null=True)
    price_rise_cap_bps = fields.IntField(null=True)
    auto_renew_from = fields.DatetimeField()
    language = fields.CharField(max_length=2, default="en")
    # True allows `demo.reset` to delete the account's payments. It is set before the account has instances or payments.
    is_demo = fields.BooleanField(default=False)
    # Set when the account is created; only `demo.reset` moves it back. Null for an account in real time.
    test_clock = fields.DatetimeField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "accounts"


class ApiKey(Model):
    """An API key, written by `accounts.api_keys`; the key of an operator has no account."""

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT, null=True
    )
    account_id: str | None
    role = fields.CharField(max_length=16, default="RENEWER")
    name = fields.TextField(default="")
    prefix = fields.CharField(max_length=16)
    secret_hash = fields.BinaryField()
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    revoked_at = fields.DatetimeField(null=True)
    # Written at intervals, not at every use.
    last_used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "api_keys"


class Voucher(Model):
    """A voucher, written by `accounts.vouchers`; without product codes it pays for every product."""

    id = fields.UUIDField(primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
    face_cents = fields.BigIntField()
    available_cents = fields.BigIntField()
    expires_at = fields.DatetimeField()
    product_codes: fields.Field[list[str]] = ArrayField(element_type="text")
    created_at = fields.DatetimeField()

    class Meta:
        table = "vouchers"
