"""What can be taken in: the columns of each list, and how a row of it becomes one of the domain's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql_api.imports import cells
from graphql_api.imports.cells import Column, required
from renewals import admissions, catalogue, intake, reports, terms, vouchers

Values = Mapping[str, Any]
"""The values of a row by column; None where a cell is empty, and nothing where the column is not there."""
Put = Callable[[intake.Batch, Sequence[Any]], Awaitable[intake.Outcomes]]


class WrongRow(Exception):
    """A row whose cells do not go together."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"{column}: {reason}")
        self.column, self.reason = column, reason


@dataclass(frozen=True, slots=True)
class Kind:
    """A list that can be taken in."""

    columns: Sequence[Column]
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


def _account(values: Values) -> admissions.AccountRow:
    """An empty cell takes a lead time, a cap or a cut-over away; a zone and a currency are for good."""
    columns = {
        column: values[name]
        for name, column in _ACCOUNT_COLUMNS.items()
        if name in values and not (name in _FOR_GOOD and values[name] is None)
    }
    return admissions.AccountRow(columns, values.get("balance"))


def _instance(values: Values) -> intake.InstanceRow:
    get = values.get
    reported = reports.Registration(
        id=values["id"],
        name=values["name"],
        product_code=values["productCode"],
        data_center_code=values["dataCenterCode"],
        monthly_price_cents=values["monthlyPrice"],
        created_at=get("createdAt"),
        last_day=get("expiresOn"),
        anchor_day=get("anchorDay"),
        billing_mode=get("billingMode") or terms.BillingMode.PREPAID,
        is_trial=get("isTrial") or False,
        renewal_mode=get("renewalMode") or terms.RenewalMode.MANUAL,
        auto_renew_months=_or(get("autoRenewMonths"), 1),
        bundle_id=get("bundleId"),
        configuration=get("configuration") or (),
    )
    if reported.bundle_id is None and get("bundleName") is not None:
        raise WrongRow("bundleName", "needs a bundleId")
    return intake.InstanceRow(values["accountId"], reported, get("bundleName"))


def _voucher(values: Values) -> intake.VoucherRow:
    issue = vouchers.Issue(
        values["faceValue"], values["expiresAt"], values.get("products") or (), values["id"]
    )
    return intake.VoucherRow(values["accountId"], issue)


_OF_ENTRY = {
    Entry.PRODUCT: ("nameZh", "unsupportedReason", "maxTermMonths", "retentionDays", "tiers"),
    Entry.DATA_CENTER: ("type",),
}
_NEEDED = {Entry.PRODUCT: ("nameZh",), Entry.DATA_CENTER: ("type",)}


def _entry(values: Values) -> intake.CatalogueRow:
    kind, get = values["kind"], values.get
    for name in _NEEDED[kind]:
        if get(name) is None:
            raise WrongRow(name, "is missing")
    for name in _OF_ENTRY[Entry.DATA_CENTER if kind is Entry.PRODUCT else Entry.PRODUCT]:
        if get(name) is not None:
            raise WrongRow(name, f"must be left out of a {kind.name}")
    if kind is Entry.DATA_CENTER:
        return catalogue.DataCenterEntry(values["code"], values["name"], values["type"])
    return catalogue.ProductEntry(
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


ACCOUNTS = Kind(
    columns=(
        required(cells.identifier("id")),
        required(cells.text("name")),
        cells.identifier("timeZone"),
        cells.text("currency"),
        cells.whole("leadDays"),
        cells.amount("priceRiseCapPercent"),
        cells.instant("autoRenewFrom"),
        cells.amount("balance"),
    ),
    to_row=_account,
    put=admissions.put,
)
INSTANCES = Kind(
    columns=(
        required(cells.identifier("accountId")),
        required(cells.identifier("id")),
        required(cells.text("name")),
        required(cells.text("productCode")),
        required(cells.text("dataCenterCode")),
        required(cells.amount("monthlyPrice")),
        cells.day("expiresOn"),
        cells.whole("anchorDay"),
        cells.choice("billingMode", terms.BillingMode),
        cells.flag("isTrial"),
        cells.choice("renewalMode", terms.RenewalMode),
        cells.whole("autoRenewMonths"),
        cells.identifier("bundleId"),
        cells.name("bundleName"),
        cells.configuration("configuration"),
        cells.instant("createdAt"),
    ),
    to_row=_instance,
    put=intake.put_instances,
    group="bundleId",
    has_configuration_columns=True,
)
CATALOGUE = Kind(
    columns=(
        required(cells.choice("kind", Entry)),
        required(cells.identifier("code")),
        required(cells.text("name")),
        cells.text("nameZh"),
        cells.text("unsupportedReason"),
        cells.whole("maxTermMonths"),
        cells.whole("retentionDays"),
        cells.tiers("tiers"),
        cells.choice("type", terms.DataCenterType),
    ),
    to_row=_entry,
    put=intake.put_catalogue,
    key=("kind", "code"),
)
VOUCHERS = Kind(
    columns=(
        required(cells.identifier("accountId")),
        required(cells.voucher_id("id")),
        required(cells.amount("faceValue")),
        required(cells.instant("expiresAt")),
        cells.codes("products"),
    ),
    to_row=_voucher,
    put=intake.put_vouchers,
)

BY_COMMAND: Mapping[str, Kind] = {
    "accounts": ACCOUNTS,
    "instances": INSTANCES,
    "catalogue": CATALOGUE,
    "vouchers": VOUCHERS,
}
