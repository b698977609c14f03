"""Sentences for people: English texts with typed arguments, translated into the language of the reader (rule 27).

The text is the message's id in the catalogs of `renewals.i18n`. A message is formatted only when its text is needed.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TypeAlias

Argument: TypeAlias = "str | int | dt.date | Message | tuple[str | Message, ...]"
Translate: TypeAlias = "Callable[[Message], str]"


class Message:
    """A sentence, or a part of one: an English text with the arguments of its placeholders, such as `{months}`.

    An amount among the arguments is a `money.Cents`, and a list is a tuple. The text must be a literal, because the
    catalogs are extracted from the source.
    """

    __slots__ = ("arguments", "text")

    def __init__(self, text: str, /, **arguments: Argument) -> None:
        self.text = text
        self.arguments: Mapping[str, Argument] = arguments

    def fill(self, **arguments: Argument) -> "Message":
        """Return a new message with the text of this message and the given arguments."""
        return Message(self.text, **arguments)

    def render(self, translate: Translate) -> str:
        """Return the sentence; `translate` returns the text of a message in the language of the reader."""
        text = translate(self)
        if not self.arguments:
            return text.format()
        return text.format_map(
            {name: _render_argument(value, translate) for name, value in self.arguments.items()}
        )

    def english_text(self) -> str:
        """Return the English text with its placeholders."""
        return self.text

    def _key(self) -> tuple[object, ...]:
        return self.english_text(), self.arguments

    def __str__(self) -> str:
        return self.render(Message.english_text_of)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self)!r}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self.text)

    @staticmethod
    def english_text_of(message: "Message") -> str:
        """Return the English text of a message."""
        return message.english_text()


class CountedMessage(Message):
    """A sentence about a number of things: the text for one, the text for all other numbers, and `count`."""

    __slots__ = ("plural_text",)

    def __init__(self, text: str, plural_text: str, /, *, count: int, **arguments: Argument) -> None:
        super().__init__(text, count=count, **arguments)
        self.plural_text = plural_text

    @property
    def count(self) -> int:
        """The number of things, which selects the text."""
        count = self.arguments["count"]
        assert isinstance(count, int)
        return count

    def english_text(self) -> str:
        """Return the English text for the count."""
        return self.text if self.count == 1 else self.plural_text


class ProvidedText(Message):
    """A text of the provider in English, Chinese or both; if one language is missing, the text in the other is used."""

    __slots__ = ("chinese", "english")

    def __init__(self, english: str | None, chinese: str | None) -> None:
        super().__init__(english or chinese or "")
        self.english, self.chinese = english, chinese

    def english_text(self) -> str:
        """Return the English text, or the Chinese text if there is none, with its braces escaped."""
        return _escape(self.english or self.chinese or "")

    def chinese_text(self) -> str:
        """Return the Chinese text, or the English text if there is none, with its braces escaped."""
        return _escape(self.chinese or self.english or "")

    def _key(self) -> tuple[object, ...]:
        return self.english, self.chinese


def _escape(text: str) -> str:
    """Return the text with each brace doubled, so that formatting does not read it as a placeholder."""
    return text.replace("{", "{{").replace("}", "}}")


class InvalidValueError(ValueError):
    """A value that is refused, with the reason as a message."""

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


LIST_SEPARATOR = Message(", ")


def _render_argument(value: Argument, translate: Translate) -> str | int:
    if isinstance(value, str | int):
        return value
    if isinstance(value, Message):
        return value.render(translate)
    if isinstance(value, tuple):
        return LIST_SEPARATOR.render(translate).join(
            [item if isinstance(item, str) else item.render(translate) for item in value]
        )
    return value.isoformat()
