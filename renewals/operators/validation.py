"""Checks on the number of rows in an operator's request."""

from collections.abc import Collection

from renewals.domain import limits, validation
from renewals.domain.messages import Message


def validate_row_count(rows: Collection[object]) -> Message | None:
    """Return the problem if a request has more than ROWS_PER_CALL_MAX rows, or None."""
    rows_max = limits.ROWS_PER_CALL_MAX
    return validation.at_most_items(rows_max, rows) if len(rows) > rows_max else None


def require_rows(field: str, rows: Collection[object]) -> None:
    """Raise InvalidInputError if there are no rows, or more than a request may have."""
    validation.raise_if_invalid(field, validate_row_count(rows) if rows else validation.NO_ITEMS)
