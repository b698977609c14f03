"""Helpers to build statements: conditions, search patterns, transposed rows."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from renewals.db.connection import Row
from renewals.domain import errors


def transpose(rows: Iterable[Sequence[object]], count: int) -> list[list[object]]:
    """Rows as columns, one list each, the way unnest() takes them."""
    turned = [list(column) for column in zip(*rows, strict=True)]
    return turned or [[] for _ in range(count)]


IS_OF_ACCOUNT = "($1::text IS NULL OR {}.account_id = $1)"
"""Of the account, or for an operator of whatever account."""


def group_by_column(rows: Sequence[Row], column: str) -> dict[Any, list[Row]]:
    """The rows by what stands in a column, each group in their order."""
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


SEARCH_LENGTH_MAX = 200


@dataclass
class WhereClause:
    """SQL conditions that all hold, kept by the facet they belong to, with their placeholders' values."""

    values: list[object] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, template: str, *values: object, facet: str = "") -> None:
        """Adds a condition in which each {} becomes the placeholder of the next value."""
        text = template.format(*(self.bind(value) for value in values))
        self.texts.setdefault(facet, []).append(text)

    def bind(self, value: object) -> str:
        """Keeps a value and answers its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"

    @property
    def where(self) -> str:
        """All conditions as one."""
        return " AND ".join(text for texts in self.texts.values() for text in texts)

    def for_facet(self, facet: str) -> str:
        """The conditions of one facet as one."""
        return " AND ".join(self.texts.get(facet, ["TRUE"]))


def check_search(search: str | None, path: str) -> None:
    """Raises InvalidInputError for a text that is longer than any name."""
    if search is not None and len(search) > SEARCH_LENGTH_MAX:
        raise errors.InvalidInputError(path, f"must be {SEARCH_LENGTH_MAX} characters at most")


def storable_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts that PostgreSQL can hold; no row can have another."""
    if is_storable("".join(texts)):  # a single look at ten thousand ids, for mostly all of them are
        return list(texts)
    return [text for text in texts if is_storable(text)]


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can hold the text: it has no NUL and no half of a surrogate pair."""
    if "\0" in text:
        return False
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


def add_search(conditions: WhereClause, search: str, *columns: str) -> None:
    """The condition that one of the columns has a part like that, in any case.

    The columns compare bytes and know the case of ASCII letters only. Collations that know more are not on every
    server, so the other letters are searched by a regular expression that names both cases.
    """
    if not is_storable(search):
        conditions.add("FALSE")
        return
    if all(character.isascii() or len(_cases(character)) == 1 for character in search):
        escaped = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        operator, pattern = "ILIKE", f"%{escaped}%"
    else:
        operator, pattern = "~", "".join(_any_case(character) for character in search)
    placeholder = conditions.bind(pattern)
    conditions.add(f"({' OR '.join(f'{column} {operator} {placeholder}' for column in columns)})")


def _any_case(character: str) -> str:
    """Return the regular expression of a character in each of its cases."""
    cases = "".join(sorted(_cases(character)))
    return f"[{cases}]" if len(cases) > 1 else re.escape(character)


def _cases(character: str) -> set[str]:
    """Return a character's own cases, without those of several characters, such as of a sharp s."""
    lower, upper = character.lower(), character.upper()
    return {case for case in (character, lower, upper, lower.upper(), upper.lower()) if len(case) == 1}
