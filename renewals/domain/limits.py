"""Limits of the public contract (rule 26); the schema states them, so they are not settings."""

INSTANCES_PER_SELECTION_MAX = 10_000
PAGE_ROWS_DEFAULT = 10
PAGE_ROWS_MAX = 1_000
SLICE_ROWS_DEFAULT = 100
"""The default maximum length of most lists that are nested in a row or in the result of a mutation."""
MONTHS_MAX = 36
"""The longest renewal in months; a product can have a lower limit."""
FORECAST_DAYS_MAX = 366
CLOCK_MOVE_MONTHS_MAX = 24
"""The longest move of a test clock in one call, in calendar months (rule 37)."""
IDEMPOTENCY_KEY_LENGTH_MAX = 64
ROWS_PER_CALL_MAX = 10_000
"""The maximum number of rows in one mutation of the operator API."""
LEAD_DAYS_MAX = 9
