"""What operators send, and how it becomes a request of the domain."""

import datetime as dt

import strawberry

from renewals import accounts, settings, terms, vouchers
from schema import scalars
from schema.inputs import IDs, given
from schema.operator.scalars import Percent


@strawberry.input
class Keyed:
    """What every change takes."""

    idempotency_key: str = strawberry.field(
        description=(
            "1 to 64 printable characters, of all operators together. Same key, same request: the first answer again."
        )
    )


@strawberry.input
class CreateAccountInput(Keyed):
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

    def to_request(self) -> accounts.NewAccount:
        return accounts.NewAccount(
            self.id,
            self.name,
            given(self.time_zone) or settings.get().time_zone.key,
            self.currency,
            given(self.lead_days),
            given(self.price_rise_cap_percent),
        )


@strawberry.input(description="What is left out stays as it is; null takes it away.")
class UpdateAccountInput(Keyed):
    account_id: strawberry.ID
    name: str | None = strawberry.UNSET
    lead_days: int | None = strawberry.UNSET
    price_rise_cap_percent: Percent | None = strawberry.UNSET

    def to_request(self) -> accounts.AccountChange:
        columns = {
            "name": self.name,
            "lead_days": self.lead_days,
            "price_rise_cap_bps": self.price_rise_cap_percent,
        }
        changed = {name: value for name, value in columns.items() if value is not strawberry.UNSET}
        return accounts.AccountChange(self.account_id, changed)


@strawberry.input
class CreateApiKeyInput(Keyed):
    account_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="None for an operator's key."
    )
    role: terms.Role = terms.Role.RENEWER
    name: str = ""
    expires_at: dt.datetime | None = strawberry.UNSET

    def to_request(self) -> accounts.NewKey:
        return accounts.NewKey(given(self.account_id), self.role, self.name, given(self.expires_at))


@strawberry.input
class RevokeApiKeyInput(Keyed):
    key_id: strawberry.ID


@strawberry.input
class TopUpInput(Keyed):
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

    def to_issue(self) -> vouchers.Issue:
        return vouchers.Issue(self.face_value, self.expires_at, tuple(self.products))


@strawberry.input
class IssueVouchersInput(Keyed):
    account_id: strawberry.ID
    vouchers: list[VoucherInput]
