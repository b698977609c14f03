"""Inputs about instances, with their conversion to domain requests."""

import datetime as dt
from typing import Any

import strawberry

from renewals.domain import model, registration_report
from renewals.operators import instances, registration
from schema.customer.inputs import IDs, TagInput
from schema.operator.inputs import ACCOUNT_ID, IdempotentInput
from schema.shared import scalars
from schema.shared.inputs import skip_conversion, unset_to_none

_MONTHLY_PRICE = "0.00 to 1000000000.00 for a month, in the account's currency, before discounts."


@skip_conversion
@strawberry.input(description="One property of an instance, as customers read it.")
class ConfigurationItemInput:
    label: str = strawberry.field(description="1 to 100 characters, unique in an instance.")
    value: str = strawberry.field(description="At most 1,000 characters. Customers can search this text.")


@skip_conversion
@strawberry.input(
    description=(
        "An instance of the account. For a registered id, the name, data center, price, expiry, anchor day and "
        "configuration are updated; the product, billing mode, trial flag and bundle must stay the same."
    )
)
class InstanceInput:
    id: strawberry.ID = strawberry.field(
        description="The provider's own id: 1 to 64 printable characters, unique among all accounts."
    )
    name: str = strawberry.field(description="1 to 200 characters.")
    product_code: strawberry.ID = strawberry.field(description="Code of a product in the catalog.")
    data_center_code: strawberry.ID = strawberry.field(description="Code of a data center in the catalog.")
    monthly_price: scalars.Money = strawberry.field(description=_MONTHLY_PRICE)
    billing_mode: model.BillingMode = strawberry.field(
        default=model.BillingMode.PREPAID, description="Only PREPAID instances can be renewed."
    )
    is_trial: bool = strawberry.field(
        default=False, description="A trial cannot be renewed until `makeFormal` converts it."
    )
    expires_on: dt.date | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The last day, in the account's time zone. Required for a new PREPAID instance; must be null for "
            "PAY_AS_YOU_GO. Null: a registered instance keeps its expiry. The expiry of an instance with an order, "
            "even a refunded one, cannot be changed."
        ),
    )
    anchor_day: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The day of the month on which renewed terms end, 1 to 31; in a shorter month, the last day. Requires an "
            "`expiresOn` on that day. Null: the day of `expiresOn`, or the present anchor day if the expiry does not "
            "change."
        ),
    )
    renewal_mode: model.RenewalMode = strawberry.field(
        default=model.RenewalMode.MANUAL,
        description="Used for a new instance only; later the customer sets it.",
    )
    auto_renew_months: int = strawberry.field(
        default=1, description="1 to 36. Used for a new instance only; later the customer sets it."
    )
    bundle_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The bundle that the instance is renewed with: an existing bundle of the account, or one of `bundles`. "
            "Null: no bundle; a registered instance keeps its bundle."
        ),
    )
    configuration: list[ConfigurationItemInput] = strawberry.field(
        default_factory=list, description="At most 50 properties; they replace the earlier ones."
    )
    tags: list[TagInput] = strawberry.field(
        default_factory=list,
        description="At most 20 tags with unique keys. Used for a new instance only; later the customer sets them.",
    )
    created_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the provider created the instance. Null: now. A registered instance keeps its value.",
    )

    @property
    def _items(self) -> Any:
        """The configuration as mappings, because `skip_conversion` leaves nested inputs as they are."""
        return self.configuration

    @property
    def _tags(self) -> Any:
        """The tags as mappings, because `skip_conversion` leaves nested inputs as they are."""
        return self.tags

    def to_reported_instance(self) -> registration_report.ReportedInstance:
        """Return the instance as the provider reports it. A field that is left out has the same meaning as null."""
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
            tags=[(tag["key"], tag["value"]) for tag in self._tags],
        )


@skip_conversion
@strawberry.input(description="A bundle of instances that are always renewed together (强关联).")
class BundleInput:
    id: strawberry.ID = strawberry.field(
        description="1 to 64 printable characters, unique among all accounts."
    )
    name: str = strawberry.field(description="1 to 200 characters.")


@strawberry.input(description="Instances of one account.")
class RegisterInstancesInput(IdempotentInput):
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT_ID)
    instances: list[InstanceInput] = strawberry.field(
        description="1 to 10,000 instances. Instances that are not named stay as they are."
    )
    bundles: list[BundleInput] = strawberry.field(
        default_factory=list,
        description="Bundles to create or rename, at most 10,000. A new bundle needs at least one instance.",
    )

    def to_request(self) -> registration.RegistrationRequest:
        """Return the instances and bundles to register."""
        return registration.RegistrationRequest(
            self.account_id,
            [instance.to_reported_instance() for instance in self.instances],
            [(bundle.id, bundle.name) for bundle in self.bundles],
        )


@skip_conversion
@strawberry.input(description="The new price of an instance.")
class PriceInput:
    instance_id: strawberry.ID = strawberry.field(description="An instance of any account.")
    monthly_price: scalars.Money = strawberry.field(description=_MONTHLY_PRICE)


@strawberry.input(description="The arguments of changePrices.")
class ChangePricesInput(IdempotentInput):
    prices: list[PriceInput] = strawberry.field(description="1 to 10,000 prices, one for each instance.")

    def to_prices(self) -> list[instances.NewPrice]:
        """Return the prices, in the order of the input."""
        return [instances.NewPrice(price.instance_id, price.monthly_price) for price in self.prices]


@strawberry.input
class InstancesInput(IdempotentInput):
    """The field shared by the inputs of mutations that change the named instances."""

    instance_ids: IDs = strawberry.field(description="1 to 10,000 instances, of any accounts.")


@strawberry.input(description="Instances whose current price the customer agrees to.")
class ConfirmPricesInput(InstancesInput):
    pass


@strawberry.input(description="Trial instances to be converted.")
class MakeFormalInput(InstancesInput):
    pass


@strawberry.input(description="Instances to be released; all members of a bundle must be named.")
class ReleaseInstancesInput(InstancesInput):
    pass
