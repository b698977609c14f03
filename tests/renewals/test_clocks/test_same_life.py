"""A test account whose clock moves over a period has the same rows as an account in real time (rule 37)."""

import datetime as dt
import random
import uuid
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from renewals.operators import accounts, audit_log
from tests.renewals.test_clocks import lives
from tests.renewals.test_clocks.lives import ACCOUNTS, AT_ONCE, DAILY, REAL
from tests.support import cases, fixtures, integrity
from tests.support.fixtures import World

STARTS = {
    "31 January in Shanghai": ("Asia/Shanghai", "2027-01-27 10:00"),
    "29 February in Kolkata, whose hours are half past": ("Asia/Kolkata", "2028-02-25 23:40"),
    "spring in New York": ("America/New_York", "2027-03-10 00:10"),
    "autumn on Lord Howe Island": ("Australia/Lord_Howe", "2027-03-31 00:30"),
    "autumn in Berlin": ("Europe/Berlin", "2027-10-28 12:00"),
}
DAYS = 7


@pytest.mark.parametrize("start", cases.long_after(1, STARTS))
async def test_a_test_clock_moved_daily_or_at_once_writes_the_rows_of_the_hourly_worker(
    world: World, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone, moment = STARTS[start]
    drawn = random.Random(start)
    begins = dt.datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    monkeypatch.setattr(fixtures, "NOW", begins)
    await open_accounts(world, zone, begins, drawn)
    pays_at = begins + dt.timedelta(minutes=drawn.randrange(24 * 60, (DAYS - 1) * 24 * 60))
    for after, until in ((begins, pays_at), (pays_at, begins + dt.timedelta(days=DAYS))):
        await lives.run_worker_hourly(after, until)
        await lives.move_daily(DAILY, after, until)
        await lives.move(AT_ONCE, until)
        for account_id in ACCOUNTS:
            await top_up(account_id, until)
    real = await lives.read_rows(world, REAL)
    assert all(real[table] for table in ("orders", "attempts", "events", "reminders", "watch"))
    assert await lives.read_rows(world, DAILY) == real
    assert await lives.read_rows(world, AT_ONCE) == real
    await integrity.assert_holds()


async def open_accounts(world: World, zone: str, begins: dt.datetime, drawn: random.Random) -> None:
    """Open the accounts with little money, and with equal instances that expire around the first days."""
    day = begins.astimezone(ZoneInfo(zone)).date()
    balance, lead_days = f"{drawn.randrange(500, 1500)}.00", drawn.choice((None, 1, 3))
    rows = {f"i-{number}": draw_instance(day, drawn) for number in range(24)}
    last = str(day + dt.timedelta(days=2))
    rows |= {
        f"b-{number}": {"expires": last, "mode": "AUTO", "price": "50.00", "bundle": "b"} for number in (1, 2)
    }
    vouchers = [
        (f"{drawn.randrange(10, 100)}.00", str(day + dt.timedelta(days=drawn.randrange(6)))) for _ in range(3)
    ]
    for account_id in ACCOUNTS:
        clock = None if account_id == REAL else begins
        await world.account(account_id, balance=balance, zone=zone, lead_days=lead_days, test_clock=clock)
        for amount, expires in vouchers:
            await world.voucher(amount, expires=expires, account=account_id)
        bundled = [f"{account_id}:{instance_id}" for instance_id, row in rows.items() if "bundle" in row]
        await world.instances(bundled, account=account_id, **rows["b-1"] | {"bundle": f"{account_id}:b"})
        for instance_id, row in rows.items():
            if "bundle" not in row:
                await world.instance(f"{account_id}:{instance_id}", account=account_id, **row)


def draw_instance(day: dt.date, drawn: random.Random) -> dict[str, Any]:
    """Return an instance that expires around a day. At the end of a month, half of them have the anchor day 31."""
    last = day + dt.timedelta(days=drawn.randrange(-9, 12))
    is_month_end = (last + dt.timedelta(days=1)).day == 1
    return {
        "expires": str(last),
        "anchor": 31 if is_month_end and drawn.random() < 0.5 else None,
        "mode": drawn.choice(("AUTO", "AUTO", "MANUAL", "NONE")),
        "price": f"{drawn.randrange(10, 400)}.{drawn.randrange(100):02}",
        "product": drawn.choice(("eip", "ebs", "kec")),
    }


async def top_up(account_id: str, now: dt.datetime) -> None:
    call = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), str(uuid.uuid4()), lambda: now)
    await accounts.top_up(call, accounts.TopUp(account_id, 500_00, "More"))
