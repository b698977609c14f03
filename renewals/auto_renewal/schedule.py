"""The hourly schedule of runs, and how overdue the next run is."""

import datetime as dt

from renewals import config
from renewals.domain import dates


def last_scheduled_at(now: dt.datetime) -> dt.datetime:
    """Return the latest scheduled time of an hourly run up to `now`, at the minute of `auto_renew_time` (rule 21)."""
    return dates.last_scheduled_at(now, config.get_settings().auto_renew_time.minute)


def next_scheduled_at(instant: dt.datetime) -> dt.datetime:
    """Return the first scheduled time of an hourly run at or after an instant."""
    return dates.next_scheduled_at(instant, config.get_settings().auto_renew_time.minute)


def next_scheduled_after(instant: dt.datetime) -> dt.datetime:
    """Return the first scheduled time of an hourly run after an instant."""
    return dates.next_scheduled_after(instant, config.get_settings().auto_renew_time.minute)


def lateness(last_scheduled: dt.datetime | None, now: dt.datetime) -> dt.timedelta:
    """Return how long ago the first hourly run after `last_scheduled` should have started, or zero if it is not due.

    `last_scheduled` is None if there was no scheduled run yet; the latest scheduled time then counts as missed.
    """
    missed = last_scheduled_at(now)
    if last_scheduled is not None:
        missed = next_scheduled_after(last_scheduled)
    return max(now - missed, dt.timedelta())
