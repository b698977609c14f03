"""The ticks of a move: the worker's hourly times at which something can happen to a test account (rule 37).

At all other hours the worker would write no event and change no instance, so a move skips these hours.
"""

import datetime as dt
from collections.abc import AsyncIterator

from renewals.alerts import balance_alerts
from renewals.auto_renewal import due, schedule
from renewals.db.connection import Connection
from renewals.domain import dates, model
from renewals.instances import lifecycle


async def find_next_in(connection: Connection, account: model.Account, to: dt.datetime) -> dt.datetime | None:
    """Return a locked test account's next tick if it is not after `to`, or None.

    The last hourly time that is not after `to` is always a tick, so that the account is checked at this time.
    """
    assert account.test_clock is not None
    first = schedule.next_scheduled_after(account.test_clock)
    last = schedule.last_scheduled_at(to)
    if first > last:
        return None
    instants = [max(first, instant) async for instant in _find_instants(connection, account, first)]
    return min([last, *instants])


async def _find_instants(
    connection: Connection, account: model.Account, first: dt.datetime
) -> AsyncIterator[dt.datetime]:
    """Yield the times of the hourly runs that process the account's next expiry, release, due renewal and check.

    If one of these four will not occur, yield no time for it. If the time of the check is unknown, yield `first` for
    the check.
    """
    lapse = await lifecycle.find_next_lapse(connection, account.id)
    for instant in (lapse.expires_at, lapse.releases_at):
        if instant is not None:
            yield schedule.next_scheduled_after(instant)
    due_at = await due.find_earliest_due_at(connection, account)
    if due_at is not None:
        yield schedule.next_scheduled_at(due_at)
    check = await balance_alerts.read_next_check(connection, account)
    if check is None:
        yield first
    elif check.day is not None:
        yield schedule.next_scheduled_at(dates.start_of_day(check.day, account.zone))
