"""The checks that all faults use find missing and excess charges."""

import datetime as dt
from zoneinfo import ZoneInfo

from renewals.auto_renewal import renew
from renewals.domain import clock as clocks
from renewals.domain import dates
from tests.chaos.work import RICH_AFTER_CENTS, Verdict, Work, together


async def test_an_uncharged_period_counts_as_lost_only_after_the_work_has_ended(opened: str) -> None:
    work = await Work.begun()
    batch = await work.put(4)
    assert await work.judge(batch, at_rest=False) == Verdict(0, 0, ())
    assert await work.judge(batch) == Verdict(lost=3 * 4 + 1, doubled=0, broken=())
    assert not await work.is_done(batch)


async def test_one_charge_is_correct_and_a_second_charge_counts_as_doubled(opened: str) -> None:
    work = await Work.begun()
    batch, other = await work.put(1), await work.put(1, expires_in_days=30)
    await renew.run_at(clocks.utc_now())
    assert await work.is_done(batch)
    assert await work.judge(batch) == Verdict(0, 0, ())
    assert await work.judge(together([batch, other])) == Verdict(lost=4, doubled=0, broken=())

    next_month = dates.add_months(work.today.day, work.today, 1)
    noon = dt.datetime.combine(next_month, dt.time(12), ZoneInfo(work.zone))
    await renew.run_at(noon)
    doubled = (await work.judge(batch)).doubled
    assert doubled == 4 + 1, "each instance, and a balance that is too low"


async def test_a_low_balance_counts_as_a_doubled_charge_and_a_high_balance_as_a_lost_charge(
    opened: str,
) -> None:
    work = await Work.begun()
    batch = await work.put(1)
    await renew.run_at(clocks.utc_now())
    [account] = batch.accounts
    for cents, verdict in ((-1, Verdict(1, 0, ())), (+1, Verdict(0, 1, ()))):
        expected = type(batch)(batch.ids, {account: RICH_AFTER_CENTS + cents})
        assert await work.judge(expected) == verdict
