"""The dates of instances in the account's time zone, and their available actions, for all rows of a list at once."""

import datetime as dt
from collections.abc import Sequence

from renewals.db import connection as database
from renewals.domain import dates, instance_actions, model
from renewals.instances import actions
from renewals.instances import queries as instances_queries
from schema.loaders import Loaders


async def read_last_days(load: Loaders, rows: Sequence[tuple[dt.datetime | None]]) -> list[dt.date | None]:
    """Return the date of the expiry in each row, or None without an expiry."""
    zone = (await load.read_account()).zone
    return [None if expires_at is None else dates.last_day(expires_at, zone) for (expires_at,) in rows]


async def read_days_left(load: Loaders, rows: Sequence[tuple[dt.datetime | None]]) -> list[int | None]:
    """Return the calendar days from today to the expiry in each row: negative in the past, None without an expiry."""
    zone = (await load.read_account()).zone
    return [
        None if expires_at is None else dates.days_left(expires_at, zone, load.now) for (expires_at,) in rows
    ]


async def read_release_times(load: Loaders, rows: Sequence[tuple[str, str]]) -> list[dt.datetime | None]:
    """Return when each instance will be released; None if it has been released already or has no expiry.

    A row has the id and the status of an instance.
    """
    account = await load.read_account()
    ids = [instance_id for instance_id, _ in rows]
    times = await instances_queries.fetch_release_times(database.pool(), account.id, ids)
    is_released = model.InstanceStatus.RELEASED
    return [None if status == is_released else times.get(instance_id) for instance_id, status in rows]


async def read_actions(
    load: Loaders, rows: Sequence[tuple[object, ...]]
) -> list[instance_actions.InstanceActions]:
    """Return the actions of each instance. A row has the values of the instance's `ActionFacts`."""
    account = await load.read_account()
    facts = list(map(instance_actions.ActionFacts._make, rows))
    return await actions.read_actions(database.pool(), account, facts, load.now)
