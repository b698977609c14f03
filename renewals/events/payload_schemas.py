"""The forms of event payloads: a model for each event type, and the JSON Schemas of `docs/events.schema.json`.

A run writes thousands of payloads, so the program builds them as plain mappings, which is faster than building models.
The tests validate payloads against these models.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.types import Strict

from renewals.domain import errors, model
from renewals.events.event_log import EventType

Amount = Annotated[str, Field(pattern=r"^\d+\.\d{2}$", description="An amount in the account's currency.")]
Instant = Annotated[AwareDatetime, Field(description="An instant in UTC.")]
Text = Annotated[str, Strict()]
Count = Annotated[int, Strict(), Field(ge=0)]


class Payload(BaseModel):
    """The members that every payload can have."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    test_clock: Literal[True] | None = Field(
        None, description="Only for a test account: the event occurred at the instant of the account's clock."
    )


class PeriodPaid(Payload):
    """A period that an order paid for."""

    order_id: Text = Field(description="The order.")
    order_kind: model.OrderKind = Field(description="The kind of the order.")
    starts_at: Instant = Field(description="Start of the period: the old expiry.")
    expires_at: Instant = Field(description="The new expiry.")
    months: Count = Field(description="Whole months of the period.")
    days: Count = Field(description="Days beyond the whole months.")
    price: Amount = Field(description="Price of the period, after discount.")


class WithRefusal(Payload):
    """The facts of a refusal; each fact is present only if the reason has it."""

    least_months: Count | None = Field(None, description="The minimum number of months of a renewal.")
    latest_expiry: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = Field(
        None, description="The latest possible last day, in the account's time zone."
    )
    required: Amount | None = Field(None, description="The amount that is required.")
    available: Amount | None = Field(None, description="The amount that vouchers and balance can pay.")
    agreed_price: Amount | None = Field(None, description="The agreed monthly price.")
    monthly_price: Amount | None = Field(None, description="The current monthly price.")


class RenewalFailed(WithRefusal):
    """An instance that the worker could not renew."""

    due_at: Instant = Field(description="When the instance was due.")
    expires_at: Instant = Field(description="The expiry of the instance.")
    code: errors.RefusalCode = Field(description="The reason.")
    message: Text = Field(description="The reason in words, in the account's language.")


class TermChanged(Payload):
    """An instance that expired, was restored or was released."""

    expires_at: Instant | None = Field(description="The expiry; for a restored instance, the new expiry.")
    renewal_mode: model.RenewalMode = Field(description="The renewal mode, which does not change.")


class Expiring(WithRefusal):
    """A reminder before an expiry."""

    expires_at: Instant = Field(description="The expiry.")
    days_before: Count = Field(description="When the reminder was due, in days before the last day.")
    renewal_mode: model.RenewalMode = Field(description="The renewal mode.")
    code: errors.RefusalCode | None = Field(
        description="For AUTO: why the worker will not renew the instance."
    )
    message: Text | None = Field(description="The reason in words, in the account's language.")


class PriceHeld(Payload):
    """An instance whose monthly price exceeds the agreed price by more than the limit of its account."""

    agreed_price: Amount = Field(description="The monthly price that was last paid or accepted.")
    monthly_price: Amount = Field(description="The current monthly price.")


class Refunded(Payload):
    """A period that was refunded."""

    order_id: Text = Field(description="The order that had paid for the period.")
    refund_id: Text = Field(description="The refund.")
    expires_at: Instant = Field(description="The earlier expiry, which is valid again.")
    amount: Amount = Field(description="The refunded amount.")


class Policy(BaseModel):
    """A renewal policy."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    renewal_mode: model.RenewalMode = Field(description="The renewal mode.")
    auto_renew_months: Count = Field(description="Months of each automatic renewal.")


class PolicyChanged(Payload):
    """A policy that was changed, or set to AUTO again."""

    before: Policy = Field(description="The policy before.")
    after: Policy = Field(description="The policy after.")


class Shortfall(Payload):
    """A warning that the money does not cover all renewals of the forecast."""

    days: Count = Field(description="The number of days in the forecast.")
    first_shortfall_on: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = Field(
        description="The first day with a shortfall, in the account's time zone."
    )
    top_up_needed: Amount = Field(
        description="The smallest top-up that pays for all renewals in the forecast."
    )
    balance: Amount = Field(description="The balance at the time of the warning.")


BY_TYPE: Mapping[EventType, type[Payload]] = {
    EventType.INSTANCE_RENEWED: PeriodPaid,
    EventType.EXPIRY_UNIFIED: PeriodPaid,
    EventType.INSTANCE_RENEWAL_FAILED: RenewalFailed,
    EventType.INSTANCE_EXPIRED: TermChanged,
    EventType.INSTANCE_RESTORED: TermChanged,
    EventType.INSTANCE_RELEASED: TermChanged,
    EventType.INSTANCE_EXPIRING: Expiring,
    EventType.INSTANCE_PRICE_HELD: PriceHeld,
    EventType.INSTANCE_REFUNDED: Refunded,
    EventType.POLICY_CHANGED: PolicyChanged,
    EventType.ACCOUNT_SHORTFALL: Shortfall,
}
"""The payload model of each event type."""


def json_schemas() -> dict[str, Any]:
    """Return the JSON Schemas of the payloads by event type, sorted by type.

    The schemas allow further members, which readers must ignore. The models refuse further members, so that the
    tests find every undocumented member.
    """
    return {
        event_type.value: _without_noise(BY_TYPE[event_type].model_json_schema())
        for event_type in sorted(BY_TYPE)
    }


def _without_noise(schema: object) -> object:
    """Return a schema without titles, which repeat names, and without the ban on further members."""
    match schema:
        case dict():
            return {
                name: _without_noise(value)
                for name, value in schema.items()
                if name != "additionalProperties" and not (name == "title" and isinstance(value, str))
            }
        case list():
            return [_without_noise(item) for item in schema]
    return schema
