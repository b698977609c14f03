"""Helpers to build SQL: conditions, search patterns, columns for `unnest()`."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from renewals.db.connection import Row
from renewals.domain import errors, validation


def transpose(rows: Iterable[Sequence[object]], count: int) -> list[list[object]]:
    """Return the columns of rows as `count` lists of values, which are the arguments of `unnest()`."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(count)]


IS_OF_ACCOUNT = "($1::text IS NULL OR {}.account_id = $1)"
"""A condition for the rows of the account $1, or of all accounts if $1 is NULL (for operators); {} is the table."""


def group_by_column(rows: Sequence[Row], column: str) -> dict[Any, list[Row]]:
    """Group rows by the value of a column, and keep their order."""
    groups: dict[object, list[Row]] = {}
    for row in rows:
        groups.setdefault(row[column], []).append(row)
    return groups


def select_page(source: str, page: str, sort_keys: Sequence[str], row_id: str | None) -> str:
    """Return a page as a subselect, so that tables are joined to the page's rows and not to the whole list.

    The sort keys are columns of the subselect, so that the outer statement can sort by them. `page` is the SQL that
    follows the sort keys. If `row_id` is given, the subselect reads ids instead of rows, and `source` is joined by id.
    """
    keys = ", ".join(f"{key} AS sort_key_{number}" for number, key in enumerate(sort_keys))
    if row_id is not None:
        return f"(SELECT {row_id} AS row_id, {keys}{page}) AS page JOIN {source} ON {row_id} = page.row_id"
    alias = source.rpartition(" ")[2]
    return f"(SELECT {alias}.*, {keys}{page}) AS {alias}"


def order_by_sort_keys(count: int, *, descending: bool) -> str:
    """Return the expressions of the ORDER BY clause for the sort keys that `select_page` returns."""
    return ", ".join(f"sort_key_{number} {'DESC' if descending else 'ASC'}" for number in range(count))


SEARCH_LENGTH_MAX = 200


@dataclass
class WhereClause:
    """SQL conditions joined by AND, grouped by facet, and the values of their placeholders."""

    values: list[object] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)

    def add(self, template: str, *values: object, facet: str = "") -> None:
        """Add a condition, in which each `{}` becomes the placeholder of the next value."""
        text = template.format(*(self.bind(value) for value in values))
        self.texts.setdefault(facet, []).append(text)

    def add_range(self, column: str, start: dt.datetime | None, end: dt.datetime | None) -> None:
        """Add the conditions that a column is at or after `start` and before `end`; None sets no condition."""
        if start is not None:
            self.add(f"{column} >= {{}}", start)
        if end is not None:
            self.add(f"{column} < {{}}", end)

    def bind(self, value: object) -> str:
        """Add a value and return its placeholder."""
        self.values.append(value)
        return f"${len(self.values)}"

    @property
    def where(self) -> str:
        """All conditions as one SQL expression."""
        return " AND ".join(text for texts in self.texts.values() for text in texts)

    def for_facet(self, facet: str) -> str:
        """Return the conditions of one facet as one SQL expression, which is TRUE if there are none."""
        return " AND ".join(self.texts.get(facet, ["TRUE"]))


def check_search(search: str | None, path: str) -> None:
    """Check the length of a search text (rule 4). Raises InvalidInputError."""
    if search is not None and len(search) > SEARCH_LENGTH_MAX:
        raise errors.InvalidInputError(path, validation.at_most_characters(SEARCH_LENGTH_MAX, search))


def storable_texts(texts: Sequence[str]) -> list[str]:
    """Return the texts that PostgreSQL can store; no row can match the other texts."""
    if is_storable("".join(texts)):  # one check, because nearly always all ids are storable
        return list(texts)
    return [text for text in texts if is_storable(text)]


def is_storable(text: str) -> bool:
    """Return whether PostgreSQL can store a text, which must contain no NUL and no lone surrogate."""
    if "\0" in text:
        return False
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return False
    return True


def add_search(conditions: WhereClause, search: str, *columns: str) -> None:
    """Add the condition that one of the columns contains a text, ignoring case.

    ILIKE ignores the case of ASCII letters only, because the columns have the collation "C", which every server has. A
    text with other letters that have two cases is matched by a regular expression with all cases of each letter.
    """
    if not is_storable(search):
        conditions.add("FALSE")
        return
    if all(character.isascii() or len(_cases(character)) == 1 for character in search):
        operator, pattern = "ILIKE", f"%{escape_like(search)}%"
    else:
        operator, pattern = "~", "".join(_any_case(character) for character in search)
    placeholder = conditions.bind(pattern)
    conditions.add(f"({' OR '.join(f'{column} {operator} {placeholder}' for column in columns)})")


def escape_like(text: str) -> str:
    """Return a text as a pattern of LIKE that matches only the text itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _any_case(character: str) -> str:
    """Return a regular expression for a character in all its cases."""
    cases = "".join(sorted(_cases(character)))
    return f"[{cases}]" if len(cases) > 1 else re.escape(character)


def _cases(character: str) -> set[str]:
    """Return the cases of a character, without those that are several characters, such as "SS" for a sharp s."""
    lower, upper = character.lower(), character.upper()
    return {case for case in (character, lower, upper, lower.upper(), upper.lower()) if len(case) == 1}
