"""The product catalog and the instances."""

from tortoise import fields
from tortoise.models import Model

from renewals.db.models.accounts import Account
from renewals.domain import model


class Product(Model):
    """A product of the catalog, written by `catalog`."""

    code = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    name_zh = fields.TextField()
    renewable = fields.BooleanField()
    unsupported_reason = fields.TextField(null=True)
    unsupported_reason_zh = fields.TextField(null=True)
    max_term_months = fields.IntField()
    retention_days = fields.IntField()
    tiers: fields.ReverseRelation["DiscountTier"]

    class Meta:
        table = "products"


class DiscountTier(Model):
    """The discount of a product for renewals of `months` months or more, up to the next tier, written by `catalog`."""

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


class DataCenterType(Model):
    """A data center type of the catalog, written by `catalog`."""

    code = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    name_zh = fields.TextField()

    class Meta:
        table = "data_center_types"


class DataCenter(Model):
    """A data center of the catalog, written by `catalog`."""

    code = fields.CharField(max_length=64, primary_key=True)
    name = fields.TextField()
    type: fields.ForeignKeyRelation[DataCenterType] = fields.ForeignKeyField(
        "renewals.DataCenterType", on_delete=fields.RESTRICT, to_field="code", source_field="type_code"
    )

    class Meta:
        table = "data_centers"


class Bundle(Model):
    """Instances that are renewed together (rule 10), written by `instances.repository`."""

    id = fields.CharField(max_length=64, primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
    name = fields.TextField()

    class Meta:
        table = "bundles"


class Instance(Model):
    """A cloud instance, written by `instances.repository`.

    The provider assigns the `id`. `expires_at` is None for an instance that has no expiry.
    """

    id = fields.CharField(max_length=64, primary_key=True)
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "renewals.Account", on_delete=fields.RESTRICT
    )
    account_id: str
    name = fields.TextField()
    product: fields.ForeignKeyRelation[Product] = fields.ForeignKeyField(
        "renewals.Product", on_delete=fields.RESTRICT, to_field="code", source_field="product_code"
    )
    product_id: str
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
    # The monthly price that the customer last paid or accepted, if the current price differs from it.
    agreed_price_cents = fields.BigIntField(null=True)
    bundle: fields.ForeignKeyNullableRelation[Bundle] = fields.ForeignKeyField(
        "renewals.Bundle", on_delete=fields.RESTRICT, null=True
    )
    bundle_id: str | None
    created_at = fields.DatetimeField()
    # The number of refunded periods; an order line keeps the number as of its creation.
    refund_count = fields.IntField(default=0)
    # The value of each tag by its key.
    tags = fields.JSONField[dict[str, str]](default=dict)

    class Meta:
        table = "instances"
