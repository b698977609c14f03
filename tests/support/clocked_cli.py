"""The command line with a clock that is fixed at a given instant.

`python -m tests.support.clocked_cli 2027-01-31T00:30+08:00 run-now`
"""

import datetime as dt
import sys

from renewals.domain import clock as clocks

if __name__ == "__main__":
    instant = dt.datetime.fromisoformat(sys.argv[1]).astimezone(dt.UTC)
    clocks.utc_now = lambda: instant
    # Import this after the clock is replaced, because a default argument keeps the clock of the time of import.
    from graphql_api.cli import main

    main.app(sys.argv[2:])
