"""The limits of the public contract (rule 26): the schema promises them, so no setting changes them."""

INSTANCES_PER_SELECTION_MAX = 10_000
PAGE_ROWS_DEFAULT = 10
PAGE_ROWS_MAX = 1_000
SLICE_ROWS_DEFAULT = 100
"""Of a list that is nested in a row, or in the answer to a call."""
MONTHS_MAX = 36
"""Of one renewal; a product may allow less."""
FORECAST_DAYS_MAX = 366
IDEMPOTENCY_KEY_LENGTH_MAX = 64
ROWS_PER_CALL_MAX = 10_000
"""Of one mutation of the operator API."""
LEAD_DAYS_MAX = 9
