"""Inputs about products, data centers and their types, with their conversion to catalog records."""

import strawberry

from renewals import catalog
from renewals.domain import model, pricing
from schema.operator.inputs import IdempotentInput
from schema.operator.scalars import Percent
from schema.shared.inputs import unset_to_none


@strawberry.input(
    description=(
        "A discount for longer renewals. If a renewal reaches several tiers, the one with the most months applies."
    )
)
class DiscountTierInput:
    months: int = strawberry.field(
        description="The minimum number of months for this discount: 1 to 120, unique in a product."
    )
    discount_percent: Percent = strawberry.field(description="Percent off the list price: 0.00 to 100.00.")


@strawberry.input(description="A product to create or replace in the catalog.")
class ProductInput:
    code: strawberry.ID = strawberry.field(
        description="1 to 64 printable characters; identifies the product."
    )
    name: str = strawberry.field(description="English name, 1 to 200 characters.")
    name_zh: str = strawberry.field(description="Chinese name, 1 to 200 characters.")
    unsupported_reason: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Why instances of the product cannot be renewed here, in English: 1 to 1,000 characters. Customers read "
            "this text; without `unsupportedReasonZh`, Chinese readers get it as well. Null in both languages: "
            "instances of the product can be renewed."
        ),
    )
    unsupported_reason_zh: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "The same reason in Chinese: 1 to 1,000 characters. Customers read this text; without "
            "`unsupportedReason`, English readers get it as well."
        ),
    )
    max_term_months: int = strawberry.field(
        default=model.TERM_MONTHS_DEFAULT,
        description=(
            "The longest term: 1 to 120. A renewal can set an expiry at most this number of months from now or, if the "
            "worker renews, from the old expiry."
        ),
    )
    retention_days: int = strawberry.field(
        default=model.RETENTION_DAYS_DEFAULT,
        description=(
            "Days between the expiry of an instance and its release: 0 to 3650. In a bundle, the longest retention of "
            "any member applies."
        ),
    )
    tiers: list[DiscountTierInput] = strawberry.field(
        default_factory=list, description="All discount tiers of the product; they replace the earlier ones."
    )

    def to_record(self) -> catalog.ProductRecord:
        """Return the product's record."""
        return catalog.ProductRecord(
            self.code,
            self.name,
            self.name_zh,
            unset_to_none(self.unsupported_reason),
            unset_to_none(self.unsupported_reason_zh),
            self.max_term_months,
            self.retention_days,
            tuple(pricing.DiscountTier(tier.months, tier.discount_percent) for tier in self.tiers),
        )


@strawberry.input(description="Products to be created or replaced.")
class PutProductsInput(IdempotentInput):
    products: list[ProductInput] = strawberry.field(
        description="1 to 10,000 products with unique codes. Products that are not named stay as they are."
    )

    def to_records(self) -> list[catalog.ProductRecord]:
        """Return the records of the products, in the order of the input."""
        return [product.to_record() for product in self.products]


@strawberry.input(description="A type of data centers to create or rename in the catalog.")
class DataCenterTypeInput:
    code: strawberry.ID = strawberry.field(
        description="1 to 64 printable characters; data centers and customers' filters refer to this code."
    )
    name: str = strawberry.field(description="English name, 1 to 200 characters; customers read it.")
    name_zh: str = strawberry.field(description="Chinese name, 1 to 200 characters; customers read it.")

    def to_record(self) -> catalog.DataCenterTypeRecord:
        """Return the type's record."""
        return catalog.DataCenterTypeRecord(self.code, self.name, self.name_zh)


@strawberry.input(description="Types of data centers to be created or renamed.")
class PutDataCenterTypesInput(IdempotentInput):
    data_center_types: list[DataCenterTypeInput] = strawberry.field(
        description="1 to 10,000 types with unique codes. Those that are not named stay as they are."
    )

    def to_records(self) -> list[catalog.DataCenterTypeRecord]:
        """Return the records of the types, in the order of the input."""
        return [center_type.to_record() for center_type in self.data_center_types]


@strawberry.input(description="A data center to create or replace in the catalog.")
class DataCenterInput:
    code: strawberry.ID = strawberry.field(
        description="1 to 64 printable characters; identifies the data center."
    )
    name: str = strawberry.field(description="1 to 200 characters; customers read it.")
    type: strawberry.ID = strawberry.field(
        description="Code of a data center type in the catalog. Customers filter instances by it."
    )

    def to_record(self) -> catalog.DataCenterRecord:
        """Return the data center's record."""
        return catalog.DataCenterRecord(self.code, self.name, self.type)


@strawberry.input(description="Data centers to be created or replaced.")
class PutDataCentersInput(IdempotentInput):
    data_centers: list[DataCenterInput] = strawberry.field(
        description="1 to 10,000 data centers with unique codes. Those that are not named stay as they are."
    )

    def to_records(self) -> list[catalog.DataCenterRecord]:
        """Return the records of the data centers, in the order of the input."""
        return [center.to_record() for center in self.data_centers]
