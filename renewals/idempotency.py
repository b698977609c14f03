"""Idempotency keys (rules 18 and 26)."""

from renewals.domain import errors, limits


def check_idempotency_key(idempotency_key: str) -> None:
    """Raises InvalidInputError for what is no idempotency key (rule 26)."""
    length_max = limits.IDEMPOTENCY_KEY_LENGTH_MAX
    if not 1 <= len(idempotency_key) <= length_max or not idempotency_key.isprintable():
        raise errors.InvalidInputError(
            "input.idempotencyKey", f"must be 1 to {length_max} printable characters"
        )
