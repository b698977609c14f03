"""Weights of work. The unit is one field of a result; `make costs` measures how long each unit of work takes.

A field of a page of 1,000 instances takes 1.2 microseconds of CPU time, including PostgreSQL. If some work takes as
long as 100 such fields, its weight is usually 30 to 100. `make costs` shows that one unit of any measured operation's
cost takes at most 5 times as long as one unit of the cost of such a page.
"""

REQUEST = 1_000
"""Minimum cost that a request deducts from a budget, or 1 % of the budget if that is less. Measured: 1 to 3 ms."""
TOKEN_READ = 15
"""A token of a document that is not cached: parsed, measured, validated. Measured: 20 to 60 microseconds."""
CHARACTERS_READ = 20
"""The number of characters of an uncached document that cost 1 in all. Measured: 0.04 microseconds a character."""
BODY_BYTES = 100
"""The number of bytes of a body that cost 1 in all. Measured: 0.01 to 0.02 microseconds a byte."""

SCAN = 0.3
"""An instance that is scanned because no index has the rows, or that an offset skips. Measured: 0.6 microseconds."""
SEARCH = 0.4
"""An instance whose texts are searched. Measured: 1 microsecond."""
COUNT = 0.2
"""An instance that is counted. Measured: 0.5 microseconds."""
FACET = 0.5
"""An instance that is counted by every facet, by a tag key or in forecast groups. Measured: 1.3 microseconds."""
ENTRY = 0.2
"""An order, a ledger entry or an event that is counted or scanned. Measured: 0.2 microseconds."""

QUOTE_CALL = 2_000
"""A quote or a preview of a policy, without its instances. Measured: 4 ms."""
CHANGE_CALL = 4_000
"""A mutation, without its instances. Measured: 12 ms."""
QUOTE = 15
"""An instance that is quoted, or whose policy is previewed. Measured: 30 to 40 microseconds."""
POLICY = 30
"""An instance whose policy or tags are set. Measured: 60 microseconds."""
RENEWAL = 40
"""A renewed instance, with all its writes. Measured: 90 microseconds."""
CHANGE = 40
"""An object named by any other mutation. Measured for registered instances: 100 microseconds."""
FORECAST_RENEWAL = 8
"""A renewal in a forecast. An AUTO instance counts as one renewal per 30 days, plus one. Measured: 22 microseconds."""
OUTLOOK_MONTHS = 6
"""The outlook of instances costs as much as the AUTO renewals of this number of months in a forecast."""

CLOCK_DAY = 20_000
"""A day of a move of a test clock. Measured for the demo account: 48 ms, for 4 hourly ticks of 12 ms each."""
CLOCK_DAY_INSTANCE = 10
"""An AUTO instance on a day of a move. Measured for 2,000 of them: 30 microseconds."""
CLOCK_MOVE_MAX = 8_000_000
"""Maximum cost of a move's days, so that a move of 24 months that returns its events is not refused with COST_TOO_HIGH.

By default, a request works on a move for at most 24 s; then the worker continues. Measured for 24 months of the demo
account: 21 s.
"""

NESTED_HISTORY = 50
"""The attempts or the orders of one instance, which are resolved one by one. Measured: 120 microseconds."""
RELEASE_TIME = 5
"""The end of the retention of one instance. Measured: 10 microseconds."""
NESTED_COUNT = 350
"""A count of the lines of an order or of a refund. Measured for 10,000 lines: 1 ms."""
SUMMARY = 20
"""The summary of an event. Measured: 40 microseconds."""
LINES_PASSED = 0.3
"""A line of an order or of a refund, or a member of a bundle, that an offset skips."""

EXPORT_ROW = 12
"""A row of an export. Measured: 25 microseconds."""
EXPORT_ROWS_FREE = 4_000
"""Rows of an export that are charged before it starts, so that no export starts without budget."""
