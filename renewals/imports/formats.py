"""What can be taken in: the columns of each list, and how a row of it becomes one of the domain's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from renewals import catalog
from renewals.accounts import vouchers
from renewals.domain import model, registration_report
from renewals.imports import accounts, batches, columns, instances
from renewals.imports import catalog as imports_catalog
from renewals.imports import vouchers as imports_vouchers
from renewals.imports.columns import ImportColumn, required

Values = Mapping[str, Any]
"""The values of a row by column; None where a cell is empty, and nothing where the column is not there."""
Put = Callable[[batches.ImportBatch, Sequence[Any]], Awaitable[batches.RowResults]]


class InvalidRowError(Exception):
    """A row whose cells do not go together."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


@dataclass(frozen=True, slots=True)
class ImportFormat:
    """A list that can be taken in."""

    columns: Sequence[ImportColumn]
    to_row: Callable[[Values], Any]
    put: Put
    key: Sequence[str] = ("id",)
    """The columns by which a row is known; no second row may have the same. The last is named where one has."""
    group: str | None = None
    """The column of what is done as a whole."""
    has_configuration_columns: bool = False


class Entry(Enum):
    """What a row of the catalogue is."""

    PRODUCT = "PRODUCT"
    DATA_CENTER = "DATA_CENTER"


_ACCOUNT_COLUMNS = {
    "id": "id",
    "name": "name",
    "timeZone": "time_zone",
    "currency": "currency",
    "leadDays": "lead_days",
    "priceRiseCapPercent": "price_rise_cap_bps",
    "autoRenewFrom": "auto_renew_from",
}
_FOR_GOOD = ("timeZone", "currency")


def _account(values: Values) -> accounts.ImportedAccount:
    """An empty cell takes a lead time, a cap or a cut-over away; a zone and a currency are for good."""
    columns = {
        column: values[name]
        for name, column in _ACCOUNT_COLUMNS.items()
        if name in values and not (name in _FOR_GOOD and values[name] is None)
    }
    return accounts.ImportedAccount(columns, values.get("balance"))


def _instance(values: Values) -> instances.ImportedInstance:
    get = values.get
    reported = registration_report.ReportedInstance(
        id=values["id"],
        name=values["name"],
        product_code=values["productCode"],
        data_center_code=values["dataCenterCode"],
        monthly_price_cents=values["monthlyPrice"],
        created_at=get("createdAt"),
        last_day=get("expiresOn"),
        anchor_day=get("anchorDay"),
        billing_mode=get("billingMode") or model.BillingMode.PREPAID,
        is_trial=get("isTrial") or False,
        renewal_mode=get("renewalMode") or model.RenewalMode.MANUAL,
        auto_renew_months=_or(get("autoRenewMonths"), 1),
        bundle_id=get("bundleId"),
        configuration=get("configuration") or (),
    )
    if reported.bundle_id is None and get("bundleName") is not None:
        raise InvalidRowError("bundleName", "needs a bundleId")
    return instances.ImportedInstance(values["accountId"], reported, get("bundleName"))


def _voucher(values: Values) -> imports_vouchers.ImportedVoucher:
    issue = vouchers.NewVoucher(
        values["faceValue"], values["expiresAt"], values.get("products") or (), values["id"]
    )
    return imports_vouchers.ImportedVoucher(values["accountId"], issue)


_OF_ENTRY = {
    Entry.PRODUCT: ("nameZh", "unsupportedReason", "maxTermMonths", "retentionDays", "tiers"),
    Entry.DATA_CENTER: ("type",),
}
_NEEDED = {Entry.PRODUCT: ("nameZh",), Entry.DATA_CENTER: ("type",)}


def _entry(values: Values) -> imports_catalog.CatalogRow:
    kind, get = values["kind"], values.get
    for name in _NEEDED[kind]:
        if get(name) is None:
            raise InvalidRowError(name, "is missing")
    for name in _OF_ENTRY[Entry.DATA_CENTER if kind is Entry.PRODUCT else Entry.PRODUCT]:
        if get(name) is not None:
            raise InvalidRowError(name, f"must be left out of a {kind.name}")
    if kind is Entry.DATA_CENTER:
        return catalog.DataCenterRecord(values["code"], values["name"], values["type"])
    return catalog.ProductRecord(
        values["code"],
        values["name"],
        values["nameZh"],
        get("unsupportedReason"),
        _or(get("maxTermMonths"), 36),
        _or(get("retentionDays"), 7),
        get("tiers") or (),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


ACCOUNTS = ImportFormat(
    columns=(
        required(columns.identifier("id")),
        required(columns.text("name")),
        columns.identifier("timeZone"),
        columns.text("currency"),
        columns.integer("leadDays"),
        columns.amount("priceRiseCapPercent"),
        columns.timestamp("autoRenewFrom"),
        columns.amount("balance"),
    ),
    to_row=_account,
    put=accounts.import_accounts,
)
INSTANCES = ImportFormat(
    columns=(
        required(columns.identifier("accountId")),
        required(columns.identifier("id")),
        required(columns.text("name")),
        required(columns.text("productCode")),
        required(columns.text("dataCenterCode")),
        required(columns.amount("monthlyPrice")),
        columns.day("expiresOn"),
        columns.integer("anchorDay"),
        columns.enum("billingMode", model.BillingMode),
        columns.boolean("isTrial"),
        columns.enum("renewalMode", model.RenewalMode),
        columns.integer("autoRenewMonths"),
        columns.identifier("bundleId"),
        columns.name("bundleName"),
        columns.configuration("configuration"),
        columns.timestamp("createdAt"),
    ),
    to_row=_instance,
    put=instances.import_instances,
    group="bundleId",
    has_configuration_columns=True,
)
CATALOGUE = ImportFormat(
    columns=(
        required(columns.enum("kind", Entry)),
        required(columns.identifier("code")),
        required(columns.text("name")),
        columns.text("nameZh"),
        columns.text("unsupportedReason"),
        columns.integer("maxTermMonths"),
        columns.integer("retentionDays"),
        columns.tiers("tiers"),
        columns.enum("type", model.DataCenterType),
    ),
    to_row=_entry,
    put=imports_catalog.import_catalog,
    key=("kind", "code"),
)
VOUCHERS = ImportFormat(
    columns=(
        required(columns.identifier("accountId")),
        required(columns.voucher_id("id")),
        required(columns.amount("faceValue")),
        required(columns.timestamp("expiresAt")),
        columns.codes("products"),
    ),
    to_row=_voucher,
    put=imports_vouchers.import_vouchers,
)

BY_COMMAND: Mapping[str, ImportFormat] = {
    "accounts": ACCOUNTS,
    "instances": INSTANCES,
    "catalogue": CATALOGUE,
    "vouchers": VOUCHERS,
}
