"""A short text about each event, built from the facts of its payload (rule 27).

Stored payloads never change, so some were written by other versions of this program, in other forms. If a payload lacks
a fact, or the type of the event is unknown, the text only names the type and the instance.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from renewals.domain import dates, model, money
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.money import Cents
from renewals.events.event_log import EventType
from renewals.i18n import labels

_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
"""The errors that can occur when a payload of an unknown form is read."""


class Subject(NamedTuple):
    """The subject of an event: an instance, or the account if `instance_id` is None.

    `instance_name` is the current name; it is None for the account, and for an instance that no longer exists.
    `time_zone` and `currency` are those of the account.
    """

    instance_id: str | None
    instance_name: str | None
    time_zone: str
    currency: str

    @property
    def label(self) -> str:
        """The name and id of the instance, or only its id if it has no other name; empty for the account."""
        if self.instance_name is None or self.instance_name == self.instance_id:
            return self.instance_id or ""
        return f"{self.instance_name} ({self.instance_id})"


def summarize(event_type: str, payload: str, subject: Subject) -> Message:
    """Return a short text about an event; `payload` is JSON text. Dates are in the account's zone."""
    try:
        return _BY_TYPE[event_type](_Facts(orjson.loads(payload), subject))
    except _MALFORMED:
        if subject.instance_id is None:
            return Message("Event {type}.", type=event_type)
        return Message("Event {type} of {instance}.", type=event_type, instance=subject.label)


class _Facts:
    """The members of a payload, with their types."""

    def __init__(self, payload: Mapping[str, Any], subject: Subject) -> None:
        self._payload = payload
        self._zone = ZoneInfo(subject.time_zone)
        self.instance = subject.label
        self.currency = subject.currency

    def has(self, name: str) -> bool:
        """Return whether a member is present and not null."""
        return self._payload.get(name) is not None

    def below(self, name: str) -> Mapping[str, object]:
        """Return a member that is an object."""
        value: Mapping[str, object] = self._payload[name]
        return value

    def text(self, name: str) -> str:
        """Return a member that is a string."""
        return str(self._payload[name])

    def number(self, name: str) -> int:
        """Return a member that is a whole number."""
        return int(self._payload[name])

    def amount(self, name: str) -> Cents:
        """Return a member that is an amount."""
        return Cents(money.parse_cents(self._payload[name]))

    def date(self, name: str) -> dt.date:
        """Return a member that is a date."""
        return dates.parse_date(self._payload[name])

    def day(self, name: str) -> dt.date:
        """Return the date, in the account's zone, of a member that is an instant."""
        return dates.last_day(dates.parse_instant(self._payload[name]), self._zone)

    def reason(self) -> str | Message:
        """Return the label of the refusal's code, or the code itself if the code is unknown."""
        code = self.text("code")
        return labels.REFUSAL_CODES.get(code, code)


def _renewed(facts: _Facts) -> Message:
    months, day, price = facts.number("months"), facts.day("expiresAt"), facts.amount("price")
    if facts.text("orderKind") == model.OrderKind.AUTO_RENEWAL:
        return CountedMessage(
            "{instance} was renewed automatically for {count} month until {date}; the price was {price} {currency}.",
            "{instance} was renewed automatically for {count} months until {date}; the price was {price} {currency}.",
            count=months,
            instance=facts.instance,
            price=price,
            currency=facts.currency,
            date=day,
        )
    return CountedMessage(
        "{instance} was renewed for {count} month until {date}; the price was {price} {currency}.",
        "{instance} was renewed for {count} months until {date}; the price was {price} {currency}.",
        count=months,
        instance=facts.instance,
        price=price,
        currency=facts.currency,
        date=day,
    )


def _unified(facts: _Facts) -> Message:
    return Message(
        "The expiry of {instance} was unified to {date} for {price} {currency}.",
        instance=facts.instance,
        date=facts.day("expiresAt"),
        price=facts.amount("price"),
        currency=facts.currency,
    )


def _renewal_failed(facts: _Facts) -> Message:
    return Message(
        "{instance} was not renewed automatically: {reason}. It expires on {date}.",
        instance=facts.instance,
        reason=facts.reason(),
        date=facts.day("expiresAt"),
    )


def _expired(facts: _Facts) -> Message:
    return Message("{instance} expired on {date}.", instance=facts.instance, date=facts.day("expiresAt"))


def _restored(facts: _Facts) -> Message:
    return Message(
        "{instance} is running again; it expires on {date}.",
        instance=facts.instance,
        date=facts.day("expiresAt"),
    )


def _released(facts: _Facts) -> Message:
    if not facts.has("expiresAt"):
        return Message("{instance} was released.", instance=facts.instance)
    return Message(
        "{instance} was released; its expiry was {date}.",
        instance=facts.instance,
        date=facts.day("expiresAt"),
    )


def _expiring(facts: _Facts) -> Message:
    day = facts.day("expiresAt")
    if facts.has("code"):
        return Message(
            "{instance} expires on {date} and will not be renewed automatically: {reason}.",
            instance=facts.instance,
            date=day,
            reason=facts.reason(),
        )
    return Message("{instance} expires on {date}. Renew it before then.", instance=facts.instance, date=day)


def _price_held(facts: _Facts) -> Message:
    return Message(
        "{instance} costs {price} {currency} a month instead of the agreed {agreed} {currency}; "
        "auto-renewal is paused until you accept this price.",
        instance=facts.instance,
        price=facts.amount("monthlyPrice"),
        agreed=facts.amount("agreedPrice"),
        currency=facts.currency,
    )


def _refunded(facts: _Facts) -> Message:
    return Message(
        "{amount} {currency} was refunded for {instance}; its expiry is {date} again.",
        amount=facts.amount("amount"),
        currency=facts.currency,
        instance=facts.instance,
        date=facts.day("expiresAt"),
    )


def _policy_changed(facts: _Facts) -> Message:
    before, after = facts.below("before"), facts.below("after")
    if before == after:  # AUTO was set again, to agree to a price
        return Message(
            "The renewal policy of {instance} was confirmed: {policy}.",
            instance=facts.instance,
            policy=_policy(after),
        )
    return Message(
        'The renewal policy of {instance} was changed from "{before}" to "{after}".',
        instance=facts.instance,
        before=_policy(before),
        after=_policy(after),
    )


def _policy(policy: Mapping[str, Any]) -> Message | str:
    mode = str(policy["renewalMode"])
    if mode == model.RenewalMode.AUTO:
        return CountedMessage(
            "Auto-renewal, {count} month at a time",
            "Auto-renewal, {count} months at a time",
            count=int(policy["autoRenewMonths"]),
        )
    return labels.RENEWAL_MODES.get(mode, mode)


def _shortfall(facts: _Facts) -> Message:
    return Message(
        "Auto-renewals of the next {days} days require {amount} {currency} more. The first "
        "shortfall is on {date}. The balance is {balance} {currency}.",
        days=facts.number("days"),
        amount=facts.amount("topUpNeeded"),
        currency=facts.currency,
        date=facts.date("firstShortfallOn"),
        balance=facts.amount("balance"),
    )


_BY_TYPE: Mapping[str, Callable[[_Facts], Message]] = {
    EventType.INSTANCE_RENEWED: _renewed,
    EventType.INSTANCE_RENEWAL_FAILED: _renewal_failed,
    EventType.INSTANCE_EXPIRED: _expired,
    EventType.INSTANCE_RESTORED: _restored,
    EventType.INSTANCE_RELEASED: _released,
    EventType.INSTANCE_EXPIRING: _expiring,
    EventType.INSTANCE_PRICE_HELD: _price_held,
    EventType.INSTANCE_REFUNDED: _refunded,
    EventType.POLICY_CHANGED: _policy_changed,
    EventType.EXPIRY_UNIFIED: _unified,
    EventType.ACCOUNT_SHORTFALL: _shortfall,
}
