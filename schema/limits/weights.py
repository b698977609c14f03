"""What work costs, in the unit of a field of an answer; `make costs` measures it again.

A field of a page of 1,000 instances takes 1.2 microseconds of one processor, PostgreSQL's share included. Each weight
below is a third to the whole of what was measured on the same machine, in that unit: a request may take several times
less than it costs, and at most five times as much a unit as a page.
"""

REQUEST = 1_000
"""The least that any request spends of a budget. Measured: 1 to 3 ms."""
TOKEN_READ = 15
"""A token of a document that is not known: parsed, measured, validated. Measured: 20 to 60 microseconds."""
CHARACTERS_READ = 20
"""So many characters of a document that is not known cost 1. Measured: 0.04 microseconds a character."""
BODY_BYTES = 100
"""So many bytes of a body cost 1. Measured: 0.01 to 0.02 microseconds a byte."""

SCAN = 0.3
"""An instance of the account, where an index does not find the page. Measured: 0.6 microseconds."""
SEARCH = 0.4
"""The same, whose texts are searched. Measured: 1 microsecond."""
COUNT = 0.2
"""An instance that is counted. Measured: 0.5 microseconds."""
FACET = 0.5
"""An instance that is counted by every facet. Measured: 1.3 microseconds."""
ENTRY = 0.2
"""An order or an entry of the ledger that is counted. Measured: 0.2 microseconds."""

QUOTE_CALL = 2_000
"""A quote, whatever it names. Measured: 4 ms."""
CHANGE_CALL = 4_000
"""A change, whatever it names. Measured: 12 ms."""
QUOTE = 15
"""An instance that is quoted. Measured: 30 to 40 microseconds."""
POLICY = 30
"""An instance whose policy is set. Measured: 60 microseconds."""
RENEWAL = 40
"""An instance that is renewed, with all that is written. Measured: 90 microseconds."""
CHANGE = 40
"""What any other change names. Measured, of instances registered: 100 microseconds."""
FORECAST_RENEWAL = 8
"""A renewal that a forecast foresees: one of each AUTO instance in thirty days, and one more. Measured: 22
microseconds."""
OUTLOOK_MONTHS = 6
"""Of so many months of AUTO renewals the outlook of instances is charged: all up to the last of them are foreseen."""

NESTED_HISTORY = 50
"""The attempts, or the orders, of one instance, which are resolved one by one. Measured: 120 microseconds."""
NESTED_COUNT = 250
"""The lines of an order, the instances of a bundle, that are counted. Measured, of 10,000 lines: 1 millisecond."""
LINES_PASSED = 0.3
"""A line of an order that is passed over by an offset."""

EXPORT_ROW = 12
"""A row of an export. Measured: 25 microseconds."""
EXPORT_ROWS_FREE = 4_000
"""Of so many rows an export is charged as it begins, so that one whose budget is spent does not begin."""
