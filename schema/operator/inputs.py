"""What operators send, and how it becomes a request of the domain."""

import datetime as dt
from typing import Any

import strawberry

from renewals import catalog, config
from renewals.accounts import vouchers
from renewals.domain import model, pricing, registration_report
from renewals.operators import accounts, refunds
from renewals.operators import instances as operators_instances
from schema.customer.inputs import IDs
from schema.operator.scalars import Percent
from schema.shared import scalars
from schema.shared.inputs import skip_conversion, unset_to_none


@strawberry.input
class IdempotentInput:
    """What every change takes."""

    idempotency_key: str = strawberry.field(
        description=(
            "1 to 64 printable characters, of all operators together. Same key, same request: the first answer again."
        )
    )


@strawberry.input
class CreateAccountInput(IdempotentInput):
    id: strawberry.ID
    name: str
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="As in Asia/Shanghai; it stays for good. Null: RENEWALS_TIME_ZONE.",
    )
    currency: str = "CNY"
    lead_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="0 to 9; null: as is set for all."
    )
    price_rise_cap_percent: Percent | None = strawberry.UNSET
    auto_renew_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="Automatic renewals begin at this instant; null: when the account is made.",
    )

    def to_request(self) -> accounts.NewAccount:
        time_zone = unset_to_none(self.time_zone)
        return accounts.NewAccount(
            self.id,
            self.name,
            config.get_settings().time_zone.key if time_zone is None else time_zone,
            self.currency,
            unset_to_none(self.lead_days),
            unset_to_none(self.price_rise_cap_percent),
            unset_to_none(self.auto_renew_from),
        )


@strawberry.input(description="What is left out stays as it is; null takes it away.")
class UpdateAccountInput(IdempotentInput):
    account_id: strawberry.ID
    name: str | None = strawberry.UNSET
    lead_days: int | None = strawberry.UNSET
    price_rise_cap_percent: Percent | None = strawberry.UNSET
    auto_renew_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Null: when the account was made."
    )

    def to_request(self) -> accounts.AccountUpdate:
        columns = {
            "name": self.name,
            "lead_days": self.lead_days,
            "price_rise_cap_bps": self.price_rise_cap_percent,
            "auto_renew_from": self.auto_renew_from,
        }
        changed = {name: value for name, value in columns.items() if value is not strawberry.UNSET}
        return accounts.AccountUpdate(self.account_id, changed)


@strawberry.input
class CreateApiKeyInput(IdempotentInput):
    account_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="None for an operator's key."
    )
    role: model.Role = model.Role.RENEWER
    name: str = ""
    expires_at: dt.datetime | None = strawberry.UNSET

    def to_request(self) -> accounts.ApiKeyCreate:
        return accounts.ApiKeyCreate(
            unset_to_none(self.account_id), self.role, self.name, unset_to_none(self.expires_at)
        )


@strawberry.input
class RevokeApiKeyInput(IdempotentInput):
    key_id: strawberry.ID


@strawberry.input
class TopUpInput(IdempotentInput):
    account_id: strawberry.ID
    amount: scalars.Money
    memo: str = ""

    def to_request(self) -> accounts.TopUp:
        return accounts.TopUp(self.account_id, self.amount, self.memo)


@strawberry.input
class VoucherInput:
    face_value: scalars.Money
    expires_at: dt.datetime
    products: IDs = strawberry.field(default_factory=list, description="None: for every product.")

    def to_issue(self) -> vouchers.NewVoucher:
        return vouchers.NewVoucher(self.face_value, self.expires_at, tuple(self.products))


@strawberry.input
class IssueVouchersInput(IdempotentInput):
    account_id: strawberry.ID
    vouchers: list[VoucherInput]


@strawberry.input
class DiscountTierInput:
    months: int
    discount_percent: Percent


@strawberry.input
class ProductInput:
    code: strawberry.ID
    name: str
    name_zh: str
    unsupported_reason: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Why renewal management does not serve it; null: it is renewable.",
    )
    max_term_months: int = 36
    retention_days: int = 7
    tiers: list[DiscountTierInput] = strawberry.field(default_factory=list)

    def to_entry(self) -> catalog.ProductRecord:
        return catalog.ProductRecord(
            self.code,
            self.name,
            self.name_zh,
            unset_to_none(self.unsupported_reason),
            self.max_term_months,
            self.retention_days,
            tuple(pricing.DiscountTier(tier.months, tier.discount_percent) for tier in self.tiers),
        )


@strawberry.input
class PutProductsInput(IdempotentInput):
    products: list[ProductInput]


@strawberry.input
class DataCenterInput:
    code: strawberry.ID
    name: str
    type: model.DataCenterType

    def to_entry(self) -> catalog.DataCenterRecord:
        return catalog.DataCenterRecord(self.code, self.name, self.type)


@strawberry.input
class PutDataCentersInput(IdempotentInput):
    data_centers: list[DataCenterInput]


@skip_conversion
@strawberry.input
class ConfigurationItemInput:
    label: str
    value: str


@skip_conversion
@strawberry.input
class InstanceInput:
    id: strawberry.ID = strawberry.field(description="The provider's own id, the same for good.")
    name: str
    product_code: strawberry.ID
    data_center_code: strawberry.ID
    monthly_price: scalars.Money
    billing_mode: model.BillingMode = model.BillingMode.PREPAID
    is_trial: bool = False
    expires_on: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its last day in the account's time zone. Left out, an instance that is there keeps its own.",
    )
    anchor_day: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="The day on which months step; null: that of expiresOn. 31 for the last day of each month.",
    )
    renewal_mode: model.RenewalMode = strawberry.field(
        default=model.RenewalMode.MANUAL,
        description="Of a new instance; later the policy is the customer's, and this is not looked at.",
    )
    auto_renew_months: int = 1
    bundle_id: strawberry.ID | None = strawberry.UNSET
    configuration: list[ConfigurationItemInput] = strawberry.field(default_factory=list)
    created_at: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Null: now.")

    @property
    def _items(self) -> Any:
        """The configuration as it was given: mappings, not yet objects."""
        return self.configuration

    def to_registration(self) -> registration_report.ReportedInstance:
        return registration_report.ReportedInstance(
            id=self.id,
            name=self.name,
            product_code=self.product_code,
            data_center_code=self.data_center_code,
            monthly_price_cents=self.monthly_price,
            created_at=unset_to_none(self.created_at),
            last_day=unset_to_none(self.expires_on),
            anchor_day=unset_to_none(self.anchor_day),
            billing_mode=self.billing_mode,
            is_trial=self.is_trial,
            renewal_mode=self.renewal_mode,
            auto_renew_months=self.auto_renew_months,
            bundle_id=unset_to_none(self.bundle_id),
            configuration=[(item["label"], item["value"]) for item in self._items],
        )


@skip_conversion
@strawberry.input
class BundleInput:
    id: strawberry.ID
    name: str


@strawberry.input
class RegisterInstancesInput(IdempotentInput):
    account_id: strawberry.ID
    instances: list[InstanceInput]
    bundles: list[BundleInput] = strawberry.field(
        default_factory=list, description="The bundles that are new, or have another name."
    )

    def to_report(self) -> operators_instances.RegistrationRequest:
        return operators_instances.RegistrationRequest(
            self.account_id,
            [each.to_registration() for each in self.instances],
            [(bundle.id, bundle.name) for bundle in self.bundles],
        )


@skip_conversion
@strawberry.input
class PriceInput:
    instance_id: strawberry.ID
    monthly_price: scalars.Money


@strawberry.input
class ChangePricesInput(IdempotentInput):
    prices: list[PriceInput]

    def to_prices(self) -> list[operators_instances.NewPrice]:
        return [operators_instances.NewPrice(each.instance_id, each.monthly_price) for each in self.prices]


@strawberry.input
class InstancesInput(IdempotentInput):
    """What the verbs about some instances take alike."""

    instance_ids: IDs


@strawberry.input
class ConfirmPricesInput(InstancesInput):
    pass


@strawberry.input
class MakeFormalInput(InstancesInput):
    pass


@strawberry.input
class ReleaseInstancesInput(InstancesInput):
    pass


@strawberry.input
class RetryParkedInput(IdempotentInput):
    run_id: strawberry.ID


@strawberry.input(
    description="Gives back what periods cost that have not begun, and their time. What a voucher paid that has run "
    "out by now goes to the balance. The policy stays: an AUTO instance that is due is renewed again."
)
class RefundOrderInput(IdempotentInput):
    order_id: strawberry.ID
    instance_ids: IDs | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whose lines; a bundle as a whole. Null: all of the order that can be.",
    )
    reason: str = strawberry.field(description="Why, for the log; the customer does not see it.")

    def to_request(self) -> refunds.RefundRequest:
        instance_ids = unset_to_none(self.instance_ids)
        return refunds.RefundRequest(
            self.order_id, None if instance_ids is None else tuple(instance_ids), self.reason
        )
