"""When an instance becomes held for its price, and the event that says so.

It is told once, when it becomes so, whatever made it: a rise, a lower cap, or a corrected expiry. A further rise of
what is held already is not told again.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from renewals.db import connection as database
from renewals.domain import model, money, planning
from renewals.events import event_log
from renewals.instances import repository


class CapChange(NamedTuple):
    """An account's cap as it was and as it is now, in basis points; None is no cap."""

    old: int | None
    new: int | None


def is_held(instance: model.Instance, cap_bps: int | None, now: dt.datetime) -> bool:
    """Whether the worker would renew it, were it not for its price: what has expired it renews no more."""
    is_running = instance.status_at(now) is model.InstanceStatus.RUNNING
    return is_running and planning.is_held(instance, cap_bps)


def price_held_event(instance: model.Instance) -> event_log.NewEvent:
    """The event of an instance that has become held."""
    assert instance.agreed_price_cents is not None
    payload = {
        "agreedPrice": money.format_cents(instance.agreed_price_cents),
        "monthlyPrice": money.format_cents(instance.monthly_price_cents),
    }
    return event_log.NewEvent(
        instance.account_id, event_log.EventType.INSTANCE_PRICE_HELD, instance.id, payload
    )


async def emit_price_held(
    connection: database.Connection, caps: Mapping[str, CapChange], now: dt.datetime
) -> None:
    """Tells of the instances of locked accounts that become held by another cap."""
    account_ids = [account_id for account_id, (was, becomes) in caps.items() if was != becomes]
    if not account_ids:
        return
    rows = await database.fetch(
        connection,
        f"""SELECT {repository.COLUMNS} FROM instances i
            WHERE i.account_id = ANY($1) AND i.renewal_mode = 'AUTO' AND i.status = 'RUNNING'
              AND i.agreed_price_cents IS NOT NULL
            ORDER BY i.account_id, i.id""",
        account_ids,
    )
    found = [model.Instance._make(row) for row in rows]
    newly = [
        each
        for each in found
        if is_held(each, caps[each.account_id].new, now) and not is_held(each, caps[each.account_id].old, now)
    ]
    await event_log.append_events(connection, [price_held_event(each) for each in newly], now)
