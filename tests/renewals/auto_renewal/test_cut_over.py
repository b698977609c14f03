"""An account's automatic renewals begin at `auto_renew_from`; instances due before are left to its owner (rule 38)."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.auto_renewal import due, renew
from renewals.db import connection as database
from renewals.domain import dates, model
from renewals.forecasts import calendar_entries, forecast, instance_forecast
from renewals.instances import lifecycle
from renewals.instances import repository as instances_repository
from tests.renewals.factories import NEW_YORK, SHANGHAI, at, instance, unhurried
from tests.support import integrity
from tests.support.fixtures import World

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati")
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
async def world_with_cut_over(world: World) -> World:
    """Create an account whose renewals begin at noon of 20 January, with instances due before and after that."""
    await world.account("a", balance="900.00", auto_renew_from=dt.datetime(2027, 1, 20, 4, tzinfo=dt.UTC))
    await world.instance("before", expires="2027-01-20", mode="AUTO", price="100.00")
    await world.instance("after", expires="2027-01-21", mode="AUTO", price="50.00")
    return world


async def read_expiries(world: World) -> dict[str, str]:
    rows = await world.rows("SELECT id FROM instances ORDER BY id")
    return {id_: str(await world.expiry(id_)) for (id_,) in rows}


async def test_a_run_at_the_cut_over_does_not_renew_an_instance_that_was_due_before(
    world_with_cut_over: World,
) -> None:
    now = world_with_cut_over.at("2027-01-20 12:00")
    assert await due.count_due(database.pool(), now) == {}
    run = await renew.run_at(now)
    assert (run.renewed_count, run.refused_count, run.skipped_count) == (0, 0, 0)
    assert await world_with_cut_over.count("renewal_attempts") == 0
    assert await world_with_cut_over.balance() == "900.00"


async def test_the_first_night_after_the_cut_over_renews_only_the_instance_due_that_night(
    world_with_cut_over: World,
) -> None:
    night = world_with_cut_over.at("2027-01-21 00:30")
    assert await due.count_due(database.pool(), night) == {"a": 1}
    run = await renew.run_at(night)
    assert (run.renewed_count, run.amount_cents) == (1, 50_00)
    assert await read_expiries(world_with_cut_over) == {"after": "2027-02-21", "before": "2027-01-20"}


async def test_an_instance_due_before_the_cut_over_expires_and_keeps_the_mode_auto(
    world_with_cut_over: World,
) -> None:
    await lifecycle.expire_and_release(world_with_cut_over.at("2027-01-21 00:30"))
    expired = await world_with_cut_over.read("before")
    assert (expired.status, expired.renewal_mode) == ("EXPIRED", "AUTO")


async def test_the_worker_renews_an_instance_on_its_next_last_day_after_the_cut_over(
    world_with_cut_over: World,
) -> None:
    await world_with_cut_over.put("before", expires_at=world_with_cut_over.end_of("2027-02-20"))
    assert (await renew.run_at(world_with_cut_over.at("2027-02-20 00:30"))).renewed_count >= 1
    assert await world_with_cut_over.expiry("before") == "2027-03-20"


@pytest.mark.parametrize(("begins", "count"), [("2027-01-20 00:30:00", 1), ("2027-01-20 00:30:01", 0)])
async def test_an_instance_due_at_the_cut_over_is_renewed_and_one_second_earlier_not(
    world: World, begins: str, count: int
) -> None:
    await world.account("a", balance="900.00", auto_renew_from=at(begins))
    await world.instance("i-1", expires="2027-01-20", mode="AUTO", price="100.00")
    assert (await renew.run_at(at("2027-01-20 12:00"))).renewed_count == count


async def test_a_bundle_due_before_the_cut_over_is_not_renewed(world: World) -> None:
    await world.account("a", balance="900.00", auto_renew_from=at("2027-01-20 12:00"))
    await world.instances(["k-1", "k-2"], expires="2027-01-20", mode="AUTO", bundle="k")
    assert (await renew.run_at(at("2027-01-20 12:30"))).renewed_count == 0


async def test_the_forecast_omits_an_instance_due_before_the_cut_over(world_with_cut_over: World) -> None:
    predicted = await forecast.read_forecast("a", 3, world_with_cut_over.at("2027-01-20 12:00"))
    assert [(day.due_count, day.total_cents, day.at_risk_ids) for day in predicted.days] == [
        (0, 0, ()),
        (1, 50_00, ()),
        (0, 0, ()),
    ]
    assert predicted.days[-1].balance_after_cents == 850_00


async def test_the_outlook_of_an_instance_due_before_the_cut_over_has_a_refusal(
    world_with_cut_over: World,
) -> None:
    outlooks = await instance_forecast.read_instance_forecasts(
        "a", ["before", "after"], world_with_cut_over.at("2027-01-20 12:00")
    )
    assert (outlooks["after"].will_renew, outlooks["after"].refusals) == (True, ())
    outlook = outlooks["before"]
    assert (outlook.will_renew, outlook.due_at, outlook.price_cents) == (False, None, 100_00)
    assert [(refusal.code, str(refusal.message)) for refusal in outlook.refusals] == [
        (
            "BEFORE_CUT_OVER",
            "Its due time, 2027-01-20 00:30, is before 2027-01-20 12:00, when the account's automatic renewals start; renew it manually.",  # noqa: E501
        )
    ]


async def test_the_calendar_lists_an_instance_due_before_the_cut_over_as_an_expiry(
    world_with_cut_over: World,
) -> None:
    await world_with_cut_over.instance("by-hand", expires="2027-01-20")
    calendar = await calendar_entries.build_calendar("a", 3, world_with_cut_over.at("2027-01-20 12:00"))
    assert [
        (entry.date.day, entry.kind, [item.id for item in entry.items]) for entry in calendar.entries
    ] == [
        (20, "EXPIRY", ["before", "by-hand"]),
        (21, "RENEWAL", ["after"]),
    ]


async def test_an_auto_instance_due_before_the_cut_over_gets_a_reminder_with_the_refusal_code(
    world_with_cut_over: World,
) -> None:
    now = world_with_cut_over.at("2027-01-20 12:00")
    await balance_alerts.check_changed_accounts(lambda: now)
    rows = await world_with_cut_over.rows(
        "SELECT instance_id, payload->>'code' FROM events WHERE type = 'instance.expiring'"
    )
    assert rows == [("before", "BEFORE_CUT_OVER")]


async def test_the_queries_for_due_instances_equal_the_calculation_for_each_instance(world: World) -> None:
    """Check 300 instances at random instants. Their accounts are in four zones, with random lead days and cut-overs."""
    drawn = random.Random(38)
    base = dt.datetime(2027, 4, 4, 3, tzinfo=dt.UTC)  # the clock is set back on Lord Howe Island that night
    for number in range(60):
        await world.account(
            f"a-{number:02}",
            zone=ZONES[number % len(ZONES)],
            lead_days=drawn.choice((None, 0, 1, 3, 9)),
            auto_renew_from=base + dt.timedelta(minutes=drawn.randrange(-12 * 24 * 60, 3 * 24 * 60)),
        )
        for member in range(5):
            expires = str(base.date() + dt.timedelta(days=drawn.randrange(-2, 11)))
            await world.instance(
                f"i-{number}-{member}", account=f"a-{number:02}", expires=expires, mode="AUTO"
            )
    async with database.transaction() as connection:
        accounts = await accounts_repository.lock_accounts(
            connection, [f"a-{number:02}" for number in range(60)]
        )
        instances = [
            model.Instance._make(row)
            for row in await world.rows(f"SELECT {instances_repository.COLUMNS} FROM instances i")
        ]
        before_cut_over_count = 0
        for _ in range(20):
            now = base + dt.timedelta(minutes=drawn.randrange(-3 * 24 * 60, 3 * 24 * 60))
            expected: dict[str, set[str]] = {}
            for item in instances:
                account = accounts[item.account_id]
                due_at = due.due_at(item, account)
                assert item.expires_at
                is_due = due_at <= now <= item.expires_at
                before_cut_over_count += is_due and due_at < account.auto_renew_from
                if is_due and due_at >= account.auto_renew_from:
                    expected.setdefault(account.id, set()).add(item.id)
            read = await due.read_due_instances(connection, accounts, now)
            assert {
                id_: {item.id for item in due_instances} for id_, due_instances in read.items()
            } == expected
            assert await due.count_due(connection, now) == {id_: len(ids) for id_, ids in expected.items()}
        assert before_cut_over_count > 100, "many instances are due before the cut-over"


@hypothesis.settings(unhurried, max_examples=300)
@hypothesis.given(
    st.integers(0, 33 * 24 * 3600).map(
        lambda seconds: at("2027-01-18 00:00") + dt.timedelta(seconds=seconds)
    ),
    st.integers(-40, 40),
    st.integers(0, 9),
    st.sampled_from([SHANGHAI, NEW_YORK]),
)
def test_comparing_the_expiry_with_the_cut_over_equals_comparing_the_due_time(
    begins: dt.datetime, days: int, lead_days: int, zone: ZoneInfo
) -> None:
    account = model.Account("a", zone, 0, 0, lead_days, auto_renew_from=begins)
    last_day = begins.date() + dt.timedelta(days=days)
    due_instance = instance(expires=str(last_day), zone=zone)
    is_left = dates.end_of_day(last_day, zone) <= due.left_until(account)
    assert (
        is_left
        == (due.due_at(due_instance, account) < account.auto_renew_from)
        == bool(due.refuse_left(due_instance, account))
    )


@pytest.mark.parametrize("seed", range(6))
async def test_the_runs_equal_the_forecast_and_the_outlooks_for_any_cut_over(world: World, seed: int) -> None:
    drawn = random.Random(seed)
    start = dt.date(2027, 1, 20)
    begins = at("2027-01-20 00:00") + dt.timedelta(minutes=drawn.randrange(-2 * 24 * 60, 20 * 24 * 60))
    zone = drawn.choice(ZONES)
    lead_days = drawn.choice((None, 0, 2))
    await world.account("a", balance="2000.00", zone=zone, lead_days=lead_days, auto_renew_from=begins)
    await world.voucher("150.00", expires="2027-02-02")
    for number in range(40):
        expires = str(start + dt.timedelta(days=drawn.randrange(28)))
        price, in_bundle = (
            f"{drawn.randrange(20, 160)}.00",
            {"bundle": f"b-{number}"} if number % 9 == 0 else {},
        )
        ids = [f"i-{number}", f"j-{number}"] if in_bundle else [f"i-{number}"]
        await world.instances(ids, expires=expires, mode="AUTO", price=price, **in_bundle)
    now = world.at(f"{start} 12:00")
    ids = [id_ for (id_,) in await world.rows("SELECT id FROM instances")]
    predicted, outlooks = (
        await forecast.read_forecast("a", 30, now),
        await instance_forecast.read_instance_forecasts("a", ids, now),
    )
    renewed: dict[str, dt.date] = {}
    for day in predicted.days:
        for time in ("00:30", "12:30"):
            moment = world.at(f"{day.date} {time}")
            if moment >= now:
                run = await renew.run_at(moment)
                await lifecycle.expire_and_release(moment)
                for instance_id in await list_renewed_ids(world, run.id):
                    renewed.setdefault(instance_id, day.date)
        assert await world.value("SELECT balance_cents FROM accounts") == day.balance_after_cents, day
    assert {id_ for id_, outlook in outlooks.items() if outlook.will_renew} == set(renewed)
    await integrity.assert_holds()


async def list_renewed_ids(world: World, run_id: int) -> list[str]:
    """Return the ids of the instances that a run renewed."""
    sql = "SELECT instance_id FROM renewal_attempts WHERE run_id = $1 AND succeeded"
    return [id_ for (id_,) in await world.rows(sql, run_id)]


def test_an_instance_due_one_second_before_the_cut_over_is_refused() -> None:
    account = model.Account("a", SHANGHAI, 0, 0, 0, auto_renew_from=at("2027-01-20 00:30") + SECOND)
    refusal = due.refuse_left(instance(expires="2027-01-20"), account)
    assert refusal and refusal.code == "BEFORE_CUT_OVER"
