"""Inputs about accounts, vouchers, API keys, runs and refunds, with their conversion to domain requests."""

import datetime as dt

import strawberry

from renewals import config
from renewals.accounts.vouchers import NewVoucher
from renewals.domain import model
from renewals.operators import accounts, api_keys, refunds
from schema.customer.inputs import IDs
from schema.operator.scalars import Percent
from schema.shared import scalars
from schema.shared.inputs import unset_to_none

ACCOUNT_ID = "The account's id."


@strawberry.input
class IdempotentInput:
    """The field that the inputs of all mutations have in common."""

    idempotency_key: str = strawberry.field(
        description=(
            "1 to 64 printable characters. A key that one operator used counts as used for all operators. Repeating a "
            "request with the same key returns the first result and changes nothing. Another request with the same key "
            "is refused with IdempotencyKeyReused."
        )
    )


@strawberry.input(
    description="A new account. Its id, time zone, currency and kind of clock cannot be changed later."
)
class CreateAccountInput(IdempotentInput):
    id: strawberry.ID = strawberry.field(
        description="The provider's own id: 1 to 64 printable characters, unique among accounts."
    )
    name: str = strawberry.field(description="1 to 200 characters, without control characters.")
    time_zone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "IANA time zone of the account's dates, such as Asia/Shanghai. Null: the setting RENEWALS_TIME_ZONE."
        ),
    )
    currency: str = strawberry.field(
        default=model.CURRENCY_DEFAULT,
        description="Currency code of three capital letters. It is only a label: no amount is converted.",
    )
    lead_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Number of days from an automatic renewal to the day of expiry: 0 to 9. Null: the service's setting."
        ),
    )
    price_rise_cap_percent: Percent | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "0.00 to 10000.00. The worker does not renew an AUTO instance whose price has risen by more than this "
            "percentage of the price that the customer last paid or agreed to. Null: no limit."
        ),
    )
    auto_renew_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Automatic renewals start at this instant; the worker does not renew an instance that was due earlier. "
            "Null: the account's creation."
        ),
    )
    test_clock: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Makes the account a test account. Its clock starts at this instant, and only advanceTestClock and the "
            "command `renewals clock` move it. Between these moves, the worker does not renew the account's instances. "
            "Null: the account runs in real time."
        ),
    )

    language: model.Language | None = strawberry.field(
        default=strawberry.UNSET,
        description="The language of texts that are the same for all callers, such as calendar entries. Null: EN.",
    )

    def to_request(self) -> accounts.NewAccount:
        """Return the request, with the service's time zone if none is given."""
        time_zone = unset_to_none(self.time_zone)
        return accounts.NewAccount(
            self.id,
            self.name,
            config.get_settings().time_zone.key if time_zone is None else time_zone,
            self.currency,
            unset_to_none(self.lead_days),
            unset_to_none(self.price_rise_cap_percent),
            unset_to_none(self.auto_renew_from),
            unset_to_none(self.language) or model.Language.EN,
            unset_to_none(self.test_clock),
        )


@strawberry.input(description="Fields that are left out do not change; null resets a field to its default.")
class UpdateAccountInput(IdempotentInput):
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT_ID)
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 200 characters; null is not allowed."
    )
    lead_days: int | None = strawberry.field(
        default=strawberry.UNSET, description="0 to 9. Null: the service's setting."
    )
    price_rise_cap_percent: Percent | None = strawberry.field(
        default=strawberry.UNSET, description="0.00 to 10000.00. Null: no limit."
    )
    auto_renew_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="Automatic renewals start at this instant. Null: the account's creation.",
    )

    language: model.Language | None = strawberry.field(
        default=strawberry.UNSET,
        description="The language of texts that are the same for all callers. Null: EN.",
    )

    def to_request(self) -> accounts.AccountUpdate:
        """Return the request, with the fields that the client sent."""
        columns = {
            "name": self.name,
            "lead_days": self.lead_days,
            "price_rise_cap_bps": self.price_rise_cap_percent,
            "auto_renew_from": self.auto_renew_from,
            "language": self.language,
        }
        changes = {name: value for name, value in columns.items() if value is not strawberry.UNSET}
        return accounts.AccountUpdate(self.account_id, changes)


@strawberry.input(description="Money for the balance of an account.")
class TopUpInput(IdempotentInput):
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT_ID)
    amount: scalars.Money = strawberry.field(
        description="0.01 to 100000000000.00, in the account's currency."
    )
    memo: str = strawberry.field(
        default="", description="At most 200 characters; the customer sees it in the ledger."
    )

    def to_request(self) -> accounts.TopUp:
        """Return the top-up for the use case."""
        return accounts.TopUp(self.account_id, self.amount, self.memo)


@strawberry.input(description="A voucher to be issued.")
class VoucherInput:
    face_value: scalars.Money = strawberry.field(
        description="0.01 to 100000000000.00, in the account's currency."
    )
    expires_at: dt.datetime = strawberry.field(
        description="The last instant at which the voucher can pay; must be in the future."
    )
    products: IDs = strawberry.field(
        default_factory=list,
        description="Codes of the products that the voucher can pay for. Empty: all products.",
    )

    def to_voucher(self) -> NewVoucher:
        """Return the voucher to issue."""
        return NewVoucher(self.face_value, self.expires_at, tuple(self.products))


@strawberry.input(description="Vouchers for one account.")
class IssueVouchersInput(IdempotentInput):
    account_id: strawberry.ID = strawberry.field(description=ACCOUNT_ID)
    vouchers: list[VoucherInput] = strawberry.field(description="1 to 10,000 vouchers.")

    def to_vouchers(self) -> list[NewVoucher]:
        """Return the vouchers, in the order of the input."""
        return [voucher.to_voucher() for voucher in self.vouchers]


@strawberry.input(description="An API key to be created.")
class CreateApiKeyInput(IdempotentInput):
    account_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="The account's id. Must be null for the role OPERATOR, and is required for every other role.",
    )
    role: model.Role = strawberry.field(
        default=model.Role.RENEWER,
        description=(
            "The permitted use of the key. An account has at most one CALENDAR key that is not revoked; its creation "
            "revokes an expired one."
        ),
    )
    name: str = strawberry.field(
        default="",
        description="At most 200 characters. For an operator's key, the audit log shows this name.",
    )
    expires_at: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When the key expires; must be in the future. Null: the key is valid until it is revoked.",
    )

    def to_request(self) -> api_keys.ApiKeyCreate:
        """Return the key to create. A field that is left out has the same meaning as null."""
        return api_keys.ApiKeyCreate(
            unset_to_none(self.account_id), self.role, self.name, unset_to_none(self.expires_at)
        )


@strawberry.input(description="The API key to be revoked.")
class RevokeApiKeyInput(IdempotentInput):
    key_id: strawberry.ID = strawberry.field(description="The key's id, not its prefix.")


@strawberry.input(description="The run whose parked accounts are retried.")
class RetryParkedInput(IdempotentInput):
    run_id: strawberry.ID = strawberry.field(description="A run with at least one parked account.")


@strawberry.input(description="The order to be refunded, wholly or in part.")
class RefundOrderInput(IdempotentInput):
    order_id: strawberry.ID = strawberry.field(description="The order's id.")
    instance_ids: IDs | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "Instances whose lines are refunded, 1 to 10,000; a bundle must be complete. "
            "Null: every line that can be refunded."
        ),
    )
    reason: str = strawberry.field(
        description="1 to 200 characters for the audit log; customers do not see it."
    )

    def to_request(self) -> refunds.RefundRequest:
        """Return the request. If `instance_ids` is null or left out, it covers every line that can be refunded."""
        instance_ids = unset_to_none(self.instance_ids)
        return refunds.RefundRequest(
            self.order_id, None if instance_ids is None else tuple(instance_ids), self.reason
        )
