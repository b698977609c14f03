"""The events of instances that the provider changes, and the number of instances on price hold after a change."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from renewals.domain import model
from renewals.domain.registration_rows import InstanceRow
from renewals.events import event_log, factories
from renewals.instances import price_held_events

RowChange = tuple[InstanceRow, InstanceRow]
"""The row of an instance before a change, and the row after it."""


def build_events(
    changes: Sequence[RowChange], accounts: Mapping[str, model.Account], now: dt.datetime
) -> list[event_log.NewEvent]:
    """Return the events of the instances that a change releases, restores or puts on price hold."""
    return list(_events(changes, accounts, now))


def _events(
    changes: Sequence[RowChange], accounts: Mapping[str, model.Account], now: dt.datetime
) -> Iterator[event_log.NewEvent]:
    for before, after in changes:
        if before.status != after.status:
            is_released = after.status == model.InstanceStatus.RELEASED
            event_type = (
                event_log.EventType.INSTANCE_RELEASED
                if is_released
                else event_log.EventType.INSTANCE_RESTORED
            )
            yield factories.instance_event(event_type, after)
        if _is_held(after, accounts, now) and not _is_held(before, accounts, now):
            yield price_held_events.price_held_event(_instance(after))


def count_held(changes: Sequence[RowChange], accounts: Mapping[str, model.Account], now: dt.datetime) -> int:
    """Return the number of changed instances that are on price hold after the change."""
    return sum(_is_held(after, accounts, now) for _, after in changes)


def _is_held(row: InstanceRow, accounts: Mapping[str, model.Account], now: dt.datetime) -> bool:
    account = accounts[row.account_id]
    return price_held_events.is_held_at(_instance(row), account.price_rise_cap_bps, account.instant(now))


def _instance(row: InstanceRow) -> model.Instance:
    return model.Instance(
        **{name: value for name, value in row._asdict().items() if name in model.Instance._fields}
    )
