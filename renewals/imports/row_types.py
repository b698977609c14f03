"""Formats of imports: the columns of each format, and the record to which a row is converted."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from renewals import catalog
from renewals.accounts import vouchers
from renewals.domain import model, registration_report
from renewals.domain.messages import Message
from renewals.imports import accounts, batches, columns, instances
from renewals.imports import catalog as imports_catalog
from renewals.imports import vouchers as imports_vouchers

_MISSING = Message("is missing")

WriteBatch = Callable[[batches.ImportBatch, Sequence[Any]], Awaitable[batches.RowResults]]


class InvalidRowError(Exception):
    """An error in the combination of a row's cells."""

    def __init__(self, column: str, reason: Message) -> None:
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


class ImportRow(BaseModel):
    """A row of a file. Each field is a column; the column's name is the field's name in camel case.

    A field with a default may be left out; an empty CSV cell is None.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    key_fields: ClassVar[Sequence[str]] = ("id",)

    @property
    def key(self) -> str:
        """The values of the key fields as one text, which must be unique in a file."""
        return " ".join(str(getattr(self, name)) for name in self.key_fields)

    def to_record(self) -> object:
        """Return the record of the row. Raises InvalidRowError if the combination of its cells is invalid."""
        raise NotImplementedError


class AccountRow(ImportRow):
    """An account, and its first balance."""

    id: columns.Identifier
    name: str
    time_zone: columns.Identifier | None = None
    currency: str | None = None
    lead_days: columns.Integer | None = None
    price_rise_cap_percent: columns.Amount | None = None
    auto_renew_from: columns.Instant | None = None
    language: Annotated[model.Language, columns.by_name(model.Language)] | None = None
    test_clock: columns.Instant | None = None
    balance: columns.Amount | None = None

    def to_record(self) -> accounts.ImportedAccount:
        """Return the account. An empty cell becomes None, but an empty time zone or currency is left out."""
        values = self.model_dump(include=self.model_fields_set - {"balance"})
        if "price_rise_cap_percent" in values:
            values["price_rise_cap_bps"] = values.pop("price_rise_cap_percent")
        for name in ("time_zone", "currency"):
            if values.get(name, "") is None:
                del values[name]
        return accounts.ImportedAccount(values, self.balance)


class InstanceImportRow(ImportRow):
    """An instance of an account."""

    account_id: columns.Identifier
    id: columns.Identifier
    name: str
    product_code: str
    data_center_code: str
    monthly_price: columns.Amount
    expires_on: columns.Date | None = None
    anchor_day: columns.Integer | None = None
    billing_mode: Annotated[model.BillingMode, columns.by_name(model.BillingMode)] | None = None
    is_trial: columns.Boolean | None = None
    renewal_mode: Annotated[model.RenewalMode, columns.by_name(model.RenewalMode)] | None = None
    auto_renew_months: columns.Integer | None = None
    bundle_id: columns.Identifier | None = None
    bundle_name: columns.Name | None = None
    configuration: columns.Configuration | None = None
    tags: columns.Tags | None = None
    created_at: columns.Instant | None = None

    def to_record(self) -> instances.ImportedInstance:
        """Return the reported instance with its bundle's name.

        Raises InvalidRowError for a bundle's name without the bundle's id.
        """
        if self.bundle_id is None and self.bundle_name is not None:
            raise InvalidRowError("bundleName", Message("requires a bundleId"))
        reported = registration_report.ReportedInstance(
            id=self.id,
            name=self.name,
            product_code=self.product_code,
            data_center_code=self.data_center_code,
            monthly_price_cents=self.monthly_price,
            created_at=self.created_at,
            last_day=self.expires_on,
            anchor_day=self.anchor_day,
            billing_mode=self.billing_mode or model.BillingMode.PREPAID,
            is_trial=self.is_trial or False,
            renewal_mode=self.renewal_mode or model.RenewalMode.MANUAL,
            auto_renew_months=1 if self.auto_renew_months is None else self.auto_renew_months,
            bundle_id=self.bundle_id,
            configuration=self.configuration or (),
            tags=self.tags or (),
        )
        return instances.ImportedInstance(self.account_id, reported, self.bundle_name)


class CatalogKind(Enum):
    """The kind of a catalog row."""

    PRODUCT = "PRODUCT"
    DATA_CENTER_TYPE = "DATA_CENTER_TYPE"
    DATA_CENTER = "DATA_CENTER"


_OF_PRODUCTS = ("unsupported_reason", "unsupported_reason_zh", "max_term_months", "retention_days", "tiers")
"""The fields of a catalog row that only a product has."""


class CatalogRow(ImportRow):
    """A product, a data center or a type of data centers."""

    key_fields = ("kind", "code")

    kind: Annotated[CatalogKind, columns.by_name(CatalogKind)]
    code: columns.Identifier
    name: str
    name_zh: str | None = None
    unsupported_reason: str | None = None
    unsupported_reason_zh: str | None = None
    max_term_months: columns.Integer | None = None
    retention_days: columns.Integer | None = None
    tiers: columns.Tiers | None = None
    type: columns.Identifier | None = None

    def to_record(self) -> imports_catalog.CatalogRecord:
        """Return the entry of the catalog. Raises InvalidRowError."""
        if self.kind is CatalogKind.PRODUCT:
            return self._to_product()
        for name in _OF_PRODUCTS:
            self._check_absent(name)
        if self.kind is CatalogKind.DATA_CENTER_TYPE:
            self._check_absent("type")
            return catalog.DataCenterTypeRecord(self.code, self.name, self._require_name_zh())
        self._check_absent("name_zh")
        if self.type is None:
            raise InvalidRowError("type", _MISSING)
        return catalog.DataCenterRecord(self.code, self.name, self.type)

    def _to_product(self) -> catalog.ProductRecord:
        self._check_absent("type")
        return catalog.ProductRecord(
            self.code,
            self.name,
            self._require_name_zh(),
            self.unsupported_reason,
            self.unsupported_reason_zh,
            model.TERM_MONTHS_DEFAULT if self.max_term_months is None else self.max_term_months,
            model.RETENTION_DAYS_DEFAULT if self.retention_days is None else self.retention_days,
            self.tiers or (),
        )

    def _require_name_zh(self) -> str:
        if self.name_zh is None:
            raise InvalidRowError("nameZh", _MISSING)
        return self.name_zh

    def _check_absent(self, name: str) -> None:
        if getattr(self, name) is not None:
            raise InvalidRowError(to_camel(name), Message("must be empty for a {kind}", kind=self.kind.name))


class VoucherRow(ImportRow):
    """A voucher of an account."""

    account_id: columns.Identifier
    id: columns.VoucherId
    face_value: columns.Amount
    expires_at: columns.Instant
    products: columns.Codes | None = None

    def to_record(self) -> imports_vouchers.ImportedVoucher:
        """Return the voucher with its account."""
        voucher = vouchers.NewVoucher(self.face_value, self.expires_at, self.products or (), self.id)
        return imports_vouchers.ImportedVoucher(self.account_id, voucher)


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A kind of import: its columns, and the function that writes a batch of rows."""

    row_type: type[ImportRow]
    write_batch: WriteBatch
    group_column: str | None = None
    """The column whose value is the same in all rows that are written or refused together."""
    has_configuration_columns: bool = False

    @property
    def key_column(self) -> str:
        """The column to which the problem of a repeated key is assigned."""
        return to_camel(self.row_type.key_fields[-1])

    @property
    def column_names(self) -> list[str]:
        """The names of all columns except the `configuration.` columns, in the order of the row type's fields."""
        return [str(field.alias) for field in self.row_type.model_fields.values()]

    @property
    def required_columns(self) -> list[str]:
        """The names of the columns that every row must have."""
        return [str(field.alias) for field in self.row_type.model_fields.values() if field.is_required()]


BY_COMMAND: Mapping[str, ImportFormat] = {
    "accounts": ImportFormat(AccountRow, accounts.import_accounts),
    "instances": ImportFormat(
        InstanceImportRow, instances.import_instances, group_column="bundleId", has_configuration_columns=True
    ),
    "catalogue": ImportFormat(CatalogRow, imports_catalog.import_catalog),
    "vouchers": ImportFormat(VoucherRow, imports_vouchers.import_vouchers),
}
"""The formats by the name of their command."""
