"""What clients send, and how it becomes a request of the domain."""

import datetime as dt

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.db import pagination
from renewals.domain import model, planning
from renewals.instances import filters, policy, selection
from renewals.instances import queries as instances_queries
from renewals.orders import requests
from schema.shared import enums, scalars
from schema.shared.inputs import skip_conversion, unset_to_none

IDs = list[strawberry.ID]


@skip_conversion
@strawberry.input
class InstanceFilter:
    ids: IDs | None = strawberry.UNSET
    search: str | None = strawberry.field(
        default=strawberry.UNSET, description="A part of the id or the name, case-insensitive."
    )
    tab: model.RenewalTab | None = strawberry.UNSET
    expires_from: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Inclusive.")
    expires_before: dt.datetime | None = strawberry.field(default=strawberry.UNSET, description="Exclusive.")
    expires_within_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="Expires within so many days from now, not yet expired."
    )
    products: IDs | None = strawberry.UNSET
    data_centers: IDs | None = strawberry.UNSET
    data_center_types: list[model.DataCenterType] | None = strawberry.UNSET
    status: list[model.InstanceStatus] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Null: all but RELEASED, which only this list brings in, whatever the other conditions are.",
    )
    bundled: bool | None = strawberry.UNSET
    manageable: bool | None = strawberry.field(
        default=True,
        description=(
            "False: the account's instances that renewal management leaves out "
            "(trial, one-off, unsupported product)."
        ),
    )

    def to_filter(self) -> filters.InstanceFilter:
        values = {name: value for name, value in vars(self).items() if value is not strawberry.UNSET}
        return filters.InstanceFilter(**values)


@strawberry.input
class InstanceOrder:
    field: instances_queries.InstanceOrderField = instances_queries.InstanceOrderField.EXPIRES_AT
    direction: enums.OrderDirection = enums.OrderDirection.ASC

    @property
    def is_descending(self) -> bool:
        return self.direction is enums.OrderDirection.DESC


def to_instance_filter(sent: InstanceFilter | None) -> filters.InstanceFilter:
    """The filter of a list, which may be left out; raises InvalidInputError for what is out of bounds."""
    instance_filter = sent.to_filter() if sent else filters.InstanceFilter()
    filters.check_filter(instance_filter, "filter")
    return instance_filter


def to_instance_ordering(sent: InstanceOrder | None) -> pagination.SortOrder:
    """The order of a list, which may be left out."""
    order = sent or InstanceOrder()
    return instances_queries.instance_ordering(order.field, descending=order.is_descending)


@strawberry.input
class LedgerFilter:
    vouchers: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "False: entries of the balance only, which add up to it. True: entries of vouchers only. Null: all entries."
        ),
    )


def to_ledger_filter(sent: LedgerFilter | None) -> accounts_queries.LedgerFilter:
    """Return the filter of a ledger, which may be left out."""
    return accounts_queries.LedgerFilter(unset_to_none(sent.vouchers) if sent else None)


@strawberry.input
class MatchingInput:
    filter: InstanceFilter
    except_: IDs = strawberry.field(name="except", default_factory=list)


@strawberry.input(
    one_of=True, description="Instances by id, or all that a filter matches except some. At most 10,000."
)
class Selection:
    ids: IDs | None = strawberry.UNSET
    matching: MatchingInput | None = strawberry.UNSET

    def to_pick(self) -> selection.InstanceSelector:
        if self.matching:
            return selection.ByFilter(self.matching.filter.to_filter(), tuple(self.matching.except_))
        return selection.ById(tuple(self.ids or ()))


@strawberry.input(
    one_of=True,
    description=(
        "The same date for all, or the first such day that is at least a month after each expiry. "
        "31 means the last day of the month."
    ),
)
class UnifyTarget:
    date: dt.date | None = strawberry.UNSET
    day_of_month: int | None = strawberry.UNSET

    def to_extension(self) -> planning.UnifyToDate | planning.UnifyToDayOfMonth:
        if self.date:
            return planning.UnifyToDate(self.date)
        return planning.UnifyToDayOfMonth(self.day_of_month or 0)


@strawberry.input
class SelectionInput:
    """What every verb takes: which instances, and what becomes of their bundles."""

    selection: Selection
    bundles: model.BundleHandling = model.BundleHandling.REFUSE


@strawberry.input
class QuoteRenewalInput(SelectionInput):
    months: int

    def to_request(self) -> requests.QuoteRequest:
        return requests.QuoteRequest(self.selection.to_pick(), planning.RenewFor(self.months), self.bundles)


@strawberry.input
class QuoteUnifyExpiryInput(SelectionInput):
    target: UnifyTarget

    def to_request(self) -> requests.QuoteRequest:
        return requests.QuoteRequest(self.selection.to_pick(), self.target.to_extension(), self.bundles)


@strawberry.input
class SetRenewalPolicyInput(SelectionInput):
    mode: model.RenewalMode
    auto_renew_months: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="For AUTO: 1 to 36. Null: each instance keeps what it has, 1 at first.",
    )
    batch_mode: model.BatchMode = model.BatchMode.BEST_EFFORT

    def to_request(self) -> policy.PolicyRequest:
        return policy.PolicyRequest(
            self.selection.to_pick(),
            self.mode,
            auto_renew_months=unset_to_none(self.auto_renew_months),
            handling=self.bundles,
            batch_mode=self.batch_mode,
        )


@strawberry.input
class OrderInput(SelectionInput):
    """What renewing and unifying take alike."""

    batch_mode: model.BatchMode = model.BatchMode.ALL_OR_NOTHING
    expected_total: scalars.Money | None = strawberry.UNSET
    idempotency_key: str = strawberry.field(description="Same key, same request: the first answer again.")

    def to_order(self, extension: requests.Extension) -> requests.OrderRequest:
        return requests.OrderRequest(
            self.selection.to_pick(),
            extension,
            handling=self.bundles,
            batch_mode=self.batch_mode,
            expected_total_cents=unset_to_none(self.expected_total),
            idempotency_key=self.idempotency_key,
        )


@strawberry.input
class RenewInstancesInput(OrderInput):
    months: int

    def to_request(self) -> requests.OrderRequest:
        return self.to_order(planning.RenewFor(self.months))


@strawberry.input
class UnifyExpiryInput(OrderInput):
    target: UnifyTarget

    def to_request(self) -> requests.OrderRequest:
        return self.to_order(self.target.to_extension())
