"""The calendar of an account as an iCalendar file (RFC 5545), built in a process of the pool if there is a pool.

The import of icalendar waits for the first calendar, because it would take 8 % of the API's startup time.
"""

import datetime as dt
import unicodedata
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from renewals.domain import money
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.model import Language
from renewals.forecasts import calendar_entries
from renewals.forecasts.calendar_entries import EntryKind
from renewals.i18n import catalogs, labels

if TYPE_CHECKING:
    import icalendar

REFRESH = dt.timedelta(hours=1)
"""The interval at which clients should refresh a subscribed calendar."""

_NAMES = uuid.UUID("6f0a3f0e-5f0c-5d0e-9a53-0d9f3f0b7c11")
"""The UUID namespace of event ids, so that the event of a day and a kind has the same id in each download."""

_TITLE = Message("Renewals · {account}")
_SUMMARIES: Mapping[EntryKind, Callable[[int, str], Message]] = {
    EntryKind.EXPIRY: lambda count, total: CountedMessage(
        "Expiry (manual renewal): {count} instance, {total} a month",
        "Expiry (manual renewal): {count} instances, {total} a month",
        count=count,
        total=total,
    ),
    EntryKind.RENEWAL: lambda count, total: CountedMessage(
        "Auto-renewal: {count} instance, {total}",
        "Auto-renewal: {count} instances, {total}",
        count=count,
        total=total,
    ),
    EntryKind.FAILURE: lambda count, total: CountedMessage(
        "Auto-renewal will fail: {count} instance, {total}",
        "Auto-renewal will fail: {count} instances, {total}",
        count=count,
        total=total,
    ),
}
_ADVICE: Mapping[EntryKind, Message] = {
    EntryKind.EXPIRY: Message("Renew them by hand before 23:59:59."),
    EntryKind.RENEWAL: Message(
        "Vouchers and balance cover the renewals; the balance afterwards is {balance}."
    ),
    EntryKind.FAILURE: Message(
        "Instances that are not renewed in time expire; the balance at the end of the day is {balance}."
    ),
}
_MORE = Message("and {count} more")


async def compose(account_id: str, days: int, now: dt.datetime, language: Language | None) -> bytes:
    """Return the calendar of an account as an iCalendar file, in the account's language if `language` is None."""
    entries = await calendar_entries.build_calendar(account_id, days, now)
    return write(entries, language or entries.language, now)


def write(entries: calendar_entries.CalendarEntries, language: Language, now: dt.datetime) -> bytes:
    """Return calendar entries as iCalendar: an all-day event for each day and kind."""
    import icalendar  # noqa: PLC0415 - see the module's docstring

    title = _plain(catalogs.translate(_TITLE.fill(account=entries.account_name), language))
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//renewals//renewals//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    for name in ("name", "x-wr-calname"):
        calendar.add(name, title)
    calendar.add("x-wr-timezone", entries.zone.key)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", icalendar.vDuration(REFRESH))
    for entry in entries.entries:
        calendar.add_component(_event(entry, entries, language, now))
    content: bytes = calendar.to_ical()
    return content


def _event(
    entry: calendar_entries.CalendarEntry,
    entries: calendar_entries.CalendarEntries,
    language: Language,
    now: dt.datetime,
) -> "icalendar.Event":
    import icalendar  # noqa: PLC0415 - see the module's docstring

    total, balance = (
        f"{money.format_cents(cents)} {entries.currency}"
        for cents in (entry.total_cents, entry.balance_after_cents)
    )
    event = icalendar.Event()
    event.add("uid", f"{uuid.uuid5(_NAMES, f'{entries.account_id} {entry.date} {entry.kind}')}@renewals")
    # The file is composed for each download, so `now` is also the time of its last change.
    event.add("dtstamp", now.replace(microsecond=0))
    event.add("last-modified", now.replace(microsecond=0))
    event.add("dtstart", entry.date)
    event.add("dtend", entry.date + dt.timedelta(days=1))
    event.add(
        "summary",
        catalogs.translate(_SUMMARIES[entry.kind](entry.instance_count, total), language),
    )
    advice = catalogs.translate(_ADVICE[entry.kind].fill(balance=balance), language)
    event.add("description", "\n".join([advice, *_lines(entry, language)]))
    event.add("categories", [entry.kind])
    event.add("transp", "TRANSPARENT")
    return event


def _lines(entry: calendar_entries.CalendarEntry, language: Language) -> Iterator[str]:
    for item in entry.items:
        if item.code is not None:
            text = catalogs.translate(labels.REFUSAL_CODES[item.code], language)
        else:
            text = money.format_cents(item.price_cents or 0)
        yield f"{_plain(item.name)} ({_plain(item.id)}): {text}"
    if more := entry.instance_count - len(entry.items):
        yield catalogs.translate(_MORE.fill(count=more), language)


def _plain(text: str) -> str:
    """Replace control characters with spaces: iCalendar cannot represent them, and a bare CR would end the line."""
    return "".join(" " if unicodedata.category(character) == "Cc" else character for character in text)
