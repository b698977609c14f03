"""Messages as JSON, so that a stored result can be read again in any language."""

import datetime as dt
from typing import Any, TypedDict

import orjson

from renewals.domain.messages import Argument, CountedMessage, Message, ProvidedText
from renewals.domain.money import Cents


class StoredMessage(TypedDict, total=False):
    """A message as a JSON object: the provider's text in two languages, or an English text with its arguments."""

    english: str | None
    chinese: str | None
    text: str
    plural: str
    arguments: dict[str, object]


def to_json(message: Message) -> StoredMessage:
    """Return a message as a JSON object; arguments keep their types."""
    if isinstance(message, ProvidedText):
        return {"english": message.english, "chinese": message.chinese}
    stored: StoredMessage = {"text": message.text}
    if isinstance(message, CountedMessage):
        stored["plural"] = message.plural_text
    if message.arguments:
        stored["arguments"] = {name: _argument_to_json(value) for name, value in message.arguments.items()}
    return stored


def dumps(message: Message) -> str:
    """Return a message as JSON text, for a column of type json."""
    return orjson.dumps(to_json(message)).decode()


def loads(stored: str | None) -> Message | None:
    """Return the message in a JSON text that `dumps` returned, or None if `stored` is None."""
    return None if stored is None else from_json(orjson.loads(stored))


def from_json(stored: StoredMessage) -> Message:
    """Return the message for which `to_json` returned this object."""
    if "english" in stored:
        return ProvidedText(stored["english"], stored["chinese"])
    arguments = {name: _argument_from_json(value) for name, value in stored.get("arguments", {}).items()}
    if "plural" in stored:
        return CountedMessage(stored["text"], stored["plural"], **arguments)
    return Message(stored["text"], **arguments)


def _argument_to_json(value: Argument) -> object:
    if isinstance(value, Cents):
        return {"cents": int(value)}
    if isinstance(value, str | int):
        return value
    if isinstance(value, Message):
        return {"message": to_json(value)}
    if isinstance(value, tuple):
        return [_argument_to_json(item) for item in value]
    return {"instant" if isinstance(value, dt.datetime) else "date": value.isoformat()}


def _argument_from_json(value: Any) -> Any:
    match value:
        case {"cents": cents}:
            return Cents(cents)
        case {"message": message}:
            return from_json(message)
        case {"date": date}:
            return dt.date.fromisoformat(date)
        case {"instant": instant}:
            return dt.datetime.fromisoformat(instant)
        case list():
            return tuple(map(_argument_from_json, value))
        case _:
            return value
