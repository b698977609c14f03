"""Checks on how many rows a call of an operator has."""

from collections.abc import Collection

from renewals.domain import limits, validation


def rows_at_most(rows: Collection[object]) -> str | None:
    """No more rows than a call may have."""
    rows_max = limits.ROWS_PER_CALL_MAX
    return f"must have {rows_max} rows at most" if len(rows) > rows_max else None


def require_rows(field: str, rows: Collection[object]) -> None:
    """Raises InvalidInputError for no rows, or for more than a call may have."""
    validation.raise_if_invalid(field, rows_at_most(rows) if rows else "must have a row at least")
