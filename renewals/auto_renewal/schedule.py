"""The hourly schedule of runs, and how late one is."""

import datetime as dt

from renewals import config
from renewals.domain import dates


def last_scheduled_at(now: dt.datetime) -> dt.datetime:
    """The latest time at which an hourly run was to be: the minute of the auto-renew time (rule 21)."""
    return dates.last_scheduled_at(now, config.get_settings().auto_renew_time.minute)


def next_scheduled_at(instant: dt.datetime) -> dt.datetime:
    """The first time from an instant on at which an hourly run is to be."""
    return dates.next_scheduled_at(instant, config.get_settings().auto_renew_time.minute)


def lateness(last_scheduled: dt.datetime | None, now: dt.datetime) -> dt.timedelta:
    """How long ago an hourly run should have begun, by the last that has; nothing if none was missed."""
    missed = last_scheduled_at(now)
    if last_scheduled is not None:
        missed = next_scheduled_at(last_scheduled + dt.timedelta(microseconds=1))
    return max(now - missed, dt.timedelta())
