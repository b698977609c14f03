"""Fields that show a message in the language of the request."""

from typing import Any

import orjson
import strawberry

from renewals.domain import stored_messages
from renewals.domain.messages import Message
from renewals.domain.stored_messages import StoredMessage
from renewals.i18n import catalogs
from schema.fields import sources


def message(name: str = "message", *, description: str) -> Any:
    """Return a field that shows the message in a column or an attribute; null stays null."""

    def resolve(row: strawberry.Parent[object]) -> str | None:
        return show(sources.read(row, name))

    return sources.computed(resolve, name, description=description)


def show(value: Message | StoredMessage | str | None) -> str | None:
    """Return a message, which may be stored as JSON, in the language of the request; None if `value` is None."""
    if value is None:
        return None
    if not isinstance(value, Message):
        value = stored_messages.from_json(orjson.loads(value) if isinstance(value, str) else value)
    return catalogs.translate_for_request(value)
