"""Price holds: instances that are not renewed automatically because of a price rise, and the event of a new hold.

The planner refuses the automatic renewal of an instance for which `planning.is_held` is true; this module builds the
event. The event is emitted once, when a price rise, a new or lower cap or a corrected expiry puts an instance on
hold. A further price rise of a held instance emits no event.
"""

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

from renewals.db import connection as database
from renewals.domain import model, money, planning
from renewals.events import event_log
from renewals.instances import repository


class CapChange(NamedTuple):
    """The old and the new cap of an account in basis points, each None if there is no cap."""

    old: int | None
    new: int | None


def is_held_at(instance: model.Instance, cap_bps: int | None, now: dt.datetime) -> bool:
    """Return whether a running AUTO instance is held because its price rose by more than the cap.

    An expired instance is never held.
    """
    is_running = instance.status_at(now) is model.InstanceStatus.RUNNING
    return is_running and planning.is_held(instance, cap_bps)


def price_held_event(instance: model.Instance) -> event_log.NewEvent:
    """Return the event of an instance that was put on hold."""
    assert instance.agreed_price_cents is not None
    payload = {
        "agreedPrice": money.format_cents(instance.agreed_price_cents),
        "monthlyPrice": money.format_cents(instance.monthly_price_cents),
    }
    return event_log.NewEvent(
        instance.account_id, event_log.EventType.INSTANCE_PRICE_HELD, instance.id, payload
    )


async def emit_price_held(
    connection: database.Connection, caps: Mapping[str, CapChange], now: dt.datetime, actor: model.Actor
) -> None:
    """Emit an event, at the account's time, for each instance of locked accounts that a new cap puts on hold."""
    account_ids = [account_id for account_id, (old, new) in caps.items() if old != new]
    if not account_ids:
        return
    rows = await database.fetch(
        connection,
        f"""SELECT coalesce(a.test_clock, $2), {repository.COLUMNS}
            FROM instances i JOIN accounts a ON a.id = i.account_id
            WHERE i.account_id = ANY($1) AND i.renewal_mode = 'AUTO' AND i.status = 'RUNNING'
              AND i.agreed_price_cents IS NOT NULL
            ORDER BY i.account_id, i.id""",
        account_ids,
        now,
    )
    instances = [(instant, model.Instance._make(columns)) for instant, *columns in rows]
    events = [
        price_held_event(instance)
        for instant, instance in instances
        if is_held_at(instance, caps[instance.account_id].new, instant)
        and not is_held_at(instance, caps[instance.account_id].old, instant)
    ]
    await event_log.append_events(connection, events, now, actor)
