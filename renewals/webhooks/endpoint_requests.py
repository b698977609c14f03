"""Requests to create or change a webhook endpoint, and their validation."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals import config, idempotency
from renewals.domain import errors, validation
from renewals.domain.messages import InvalidValueError, Message
from renewals.events import event_log
from renewals.webhooks import url_policy

OVERLAP_HOURS_DEFAULT = 24
OVERLAP_HOURS_MAX = 168


@dataclass(frozen=True, slots=True)
class EndpointRequest:
    """A request to create an endpoint with a URL; without event types, the endpoint receives all types."""

    url: str
    event_types: Sequence[str] = ()
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class EndpointUpdate:
    """The new values of an endpoint; a field that is None keeps its current value."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    is_enabled: bool | None = None


def check_request(request: EndpointRequest) -> None:
    """Raise InvalidInputError unless the URL, the event types and the idempotency key are valid."""
    check_url(request.url)
    check_types(request.event_types)
    idempotency.check_idempotency_key(request.idempotency_key)


def check_update(update: EndpointUpdate) -> None:
    """Raise InvalidInputError unless the new URL and the new event types are valid."""
    if update.url is not None:
        check_url(update.url)
    if update.event_types is not None:
        check_types(update.event_types)


def check_url(url: str) -> None:
    """Raise InvalidInputError for a URL that the policy forbids; the host is resolved only when a message is sent."""
    settings = config.get_settings()
    try:
        url_policy.parse_webhook_url(
            url,
            allows_http=settings.webhook_http,
            ports=settings.webhook_ports,
            networks=settings.webhook_networks,
        )
    except InvalidValueError as error:
        raise errors.InvalidInputError("input.url", error.reason) from None


def check_types(event_types: Sequence[str]) -> None:
    """Raise InvalidInputError for an unknown event type."""
    if unknown := sorted(set(event_types) - set(event_log.EventType)):
        reason = Message("unknown event type {name!r}", name=unknown[0][:64])
        raise errors.InvalidInputError("input.eventTypes", reason)


def parse_overlap(hours: int) -> dt.timedelta:
    """Return the time for which messages are also signed with older secrets.

    Raises InvalidInputError for hours out of bounds.
    """
    if not 0 <= hours <= OVERLAP_HOURS_MAX:
        raise errors.InvalidInputError("input.overlapHours", validation.between(hours, 0, OVERLAP_HOURS_MAX))
    return dt.timedelta(hours=hours)
