"""Last days at month ends, leap days and clock changes, in three time zones.

@dst_nights.every_night
async def test_...(world: World, night: Night) -> None: ...
"""

import datetime as dt
from typing import NamedTuple

import pytest


class Night(NamedTuple):
    """A last day on its anchor, the next two last days, and the UTC instants of its due time and its expiry."""

    zone: str
    anchor: int
    last_day: str
    following: str
    third: str
    due_from: str
    due_until: str

    def day(self, days: int) -> str:
        """Return the date `days` days after the last day."""
        return str(dt.date.fromisoformat(self.last_day) + dt.timedelta(days))

    def at(self, wall_clock: str, *, days: int = 0) -> str:
        """Return a local time on the last day, or some days after it, for `world.at`."""
        return f"{self.day(days)} {wall_clock}"


SHANGHAI, UTC, NEW_YORK = "Asia/Shanghai", "UTC", "America/New_York"

NIGHTS = {
    "31 January in Shanghai": Night(
        *(SHANGHAI, 31, "2027-01-31", "2027-02-28", "2027-03-31"),
        *("2027-01-30T16:30:00", "2027-01-31T15:59:59"),
    ),
    "31 January in UTC": Night(
        *(UTC, 31, "2027-01-31", "2027-02-28", "2027-03-31"), *("2027-01-31T00:30:00", "2027-01-31T23:59:59")
    ),
    "31 January in New York": Night(
        *(NEW_YORK, 31, "2027-01-31", "2027-02-28", "2027-03-31"),
        *("2027-01-31T05:30:00", "2027-02-01T04:59:59"),
    ),
    "28 February in Shanghai": Night(
        *(SHANGHAI, 31, "2027-02-28", "2027-03-31", "2027-04-30"),
        *("2027-02-27T16:30:00", "2027-02-28T15:59:59"),
    ),
    "28 February in UTC": Night(
        *(UTC, 30, "2027-02-28", "2027-03-30", "2027-04-30"), *("2027-02-28T00:30:00", "2027-02-28T23:59:59")
    ),
    "28 February in New York": Night(
        *(NEW_YORK, 28, "2027-02-28", "2027-03-28", "2027-04-28"),
        *("2027-02-28T05:30:00", "2027-03-01T04:59:59"),
    ),
    "29 February in Shanghai": Night(
        *(SHANGHAI, 29, "2028-02-29", "2028-03-29", "2028-04-29"),
        *("2028-02-28T16:30:00", "2028-02-29T15:59:59"),
    ),
    "29 February in UTC": Night(
        *(UTC, 31, "2028-02-29", "2028-03-31", "2028-04-30"), *("2028-02-29T00:30:00", "2028-02-29T23:59:59")
    ),
    "29 February in New York": Night(
        *(NEW_YORK, 30, "2028-02-29", "2028-03-30", "2028-04-30"),
        *("2028-02-29T05:30:00", "2028-03-01T04:59:59"),
    ),
    "a year's end in Shanghai": Night(
        *(SHANGHAI, 31, "2027-12-31", "2028-01-31", "2028-02-29"),
        *("2027-12-30T16:30:00", "2027-12-31T15:59:59"),
    ),
    "a year's end in UTC": Night(
        *(UTC, 31, "2027-12-31", "2028-01-31", "2028-02-29"), *("2027-12-31T00:30:00", "2027-12-31T23:59:59")
    ),
    "a year's end in New York": Night(
        *(NEW_YORK, 31, "2027-12-31", "2028-01-31", "2028-02-29"),
        *("2027-12-31T05:30:00", "2028-01-01T04:59:59"),
    ),
    "the clock goes forward in New York": Night(
        *(NEW_YORK, 14, "2027-03-14", "2027-04-14", "2027-05-14"),
        *("2027-03-14T05:30:00", "2027-03-15T03:59:59"),
    ),
    "the clock goes back in New York": Night(
        *(NEW_YORK, 7, "2027-11-07", "2027-12-07", "2028-01-07"),
        *("2027-11-07T04:30:00", "2027-11-08T04:59:59"),
    ),
}


def utc(text: str) -> dt.datetime:
    """Parse a UTC instant."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


every_night = pytest.mark.parametrize("night", NIGHTS.values(), ids=NIGHTS)
