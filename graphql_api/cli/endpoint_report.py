"""The command line's one-line report on a webhook endpoint, in a given language."""

from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.i18n.catalogs import translate
from renewals.webhooks.status import EndpointStatus


def format_endpoint(endpoint: EndpointStatus, language: Language) -> str:
    """Return a line with the endpoint's id, owner, URL, state, event counts, and last response or error."""
    line = Message(
        "endpoint {id} of {owner}, {url}, {state}: {delivered} delivered, {behind} behind, {waiting} waiting, "
        "{parked} parked",
        id=str(endpoint.id),
        owner=endpoint.account_id or Message("all accounts"),
        url=endpoint.url,
        state=_state(endpoint),
        delivered=endpoint.delivered_count,
        behind=endpoint.behind_count,
        waiting=endpoint.waiting_count,
        parked=endpoint.parked_count,
    )
    if endpoint.last_attempted_at is None:
        return translate(line, language)
    response = endpoint.last_status or endpoint.last_error or ""
    return translate(
        Message("{endpoint}; last attempt: {response}", endpoint=line, response=response), language
    )


def _state(endpoint: EndpointStatus) -> Message:
    if not endpoint.enabled:
        return Message("DISABLED ({reason})", reason=endpoint.disabled_reason or "")
    if endpoint.paused_until:
        return Message("paused until {at}", at=endpoint.paused_until.isoformat(timespec="seconds"))
    return Message("enabled")
