"""The worker does what the forecast predicts (rules 15, 20, 21), and the top-up is the smallest sufficient amount."""

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.auto_renewal import renew
from renewals.domain import errors, model
from renewals.domain.model import InstanceStatus, RenewalMode
from renewals.forecasts import forecast, simulation
from renewals.instances import lifecycle
from tests.renewals.factories import (
    NEW_YORK,
    PRODUCTS,
    SHANGHAI,
    at,
    day,
    instance,
    product,
    unhurried,
    voucher,
)
from tests.support import integrity
from tests.support.fixtures import World

TODAY = day("2027-01-20")
NOON = "2027-01-20 12:00"


def auto(instance_id: str, expires: str, price_cents: int = 100_00, **about: object) -> model.Instance:
    more = {"renewal_mode": RenewalMode.AUTO, **about}
    return instance(instance_id, expires=expires, monthly_cents=price_cents, **more)  # type: ignore[arg-type]


def simulate_forecast(
    *instances: model.Instance,
    balance_cents: int = 0,
    vouchers: Sequence[model.Voucher] = (),
    days: int = 40,
    now: str = NOON,
    zone: ZoneInfo = SHANGHAI,
    lead_days: int = 0,
    products: Sequence[model.Product] = PRODUCTS,
) -> simulation.Forecast:
    account = model.Account("a-1", zone, balance_cents, 0, lead_days)
    catalogue = {item.code: item for item in products}
    held = simulation.AccountSnapshot(account, catalogue, instances, vouchers)
    return simulation.simulate(held, days, at(now, zone))


def select_due_days(predicted: simulation.Forecast) -> dict[str, simulation.Day]:
    """Return the days on which instances are due, by date."""
    return {due_day.date.isoformat(): due_day for due_day in predicted.days if due_day.due_count}


def test_a_forecast_contains_every_day_starting_today() -> None:
    predicted = simulate_forecast(days=3)
    assert [forecast_day.date.isoformat() for forecast_day in predicted.days] == [
        "2027-01-20",
        "2027-01-21",
        "2027-01-22",
    ]
    assert (predicted.total_cents, predicted.required_top_up_cents, predicted.first_shortfall_on) == (
        0,
        0,
        None,
    )


def test_an_instance_is_renewed_each_month_on_its_anchor_day() -> None:
    predicted = select_due_days(simulate_forecast(auto("i-1", "2027-01-31"), balance_cents=1000_00, days=100))
    assert list(predicted) == ["2027-01-31", "2027-02-28", "2027-03-31"]
    assert [forecast_day.balance_after_cents for forecast_day in predicted.values()] == [
        900_00,
        800_00,
        700_00,
    ]


def test_vouchers_pay_before_the_balance_and_not_after_their_expiry() -> None:
    vouchers = [
        voucher("v-1", 30_00, expires="2027-01-31 23:59:59"),
        voucher("v-2", 500_00, expires="2027-02-27 23:59:59"),
    ]
    predicted = select_due_days(
        simulate_forecast(auto("i-1", "2027-01-31"), balance_cents=150_00, vouchers=vouchers, days=60)
    )
    assert [
        (forecast_day.voucher_cents, forecast_day.balance_cents) for forecast_day in predicted.values()
    ] == [(100_00, 0), (0, 100_00)]


def test_an_instance_that_cannot_be_paid_is_at_risk_and_is_not_due_again() -> None:
    predicted = simulate_forecast(
        auto("i-1", "2027-01-31"), auto("i-2", "2027-01-31", 30_00), balance_cents=50_00, days=60
    )
    january, february = select_due_days(predicted).values()
    assert january.at_risk_ids == ("i-1",)
    assert (january.total_cents, january.balance_cents, january.shortfall_cents) == (130_00, 30_00, 80_00)
    assert (february.due_count, february.at_risk_ids, february.shortfall_cents) == (1, ("i-2",), 10_00)
    assert predicted.first_shortfall_on == day("2027-01-31")
    assert predicted.required_top_up_cents == 2 * 130_00 - 50_00


def test_a_bundle_is_at_risk_as_a_whole() -> None:
    bundle = [auto(f"b-{number}", "2027-01-31", bundle_id="b") for number in (1, 2)]
    [forecast_day] = select_due_days(simulate_forecast(*bundle, balance_cents=150_00, days=20)).values()
    assert (forecast_day.at_risk_ids, forecast_day.balance_after_cents, forecast_day.shortfall_cents) == (
        ("b-1", "b-2"),
        150_00,
        50_00,
    )


def test_an_instance_refused_for_its_months_is_at_risk_without_a_shortfall() -> None:
    short = product("KEC", max_term_months=1)
    predicted = simulate_forecast(auto("i-1", "2027-01-31", auto_renew_months=2), days=20, products=[short])
    [forecast_day] = select_due_days(predicted).values()
    assert (forecast_day.at_risk_ids, forecast_day.total_cents, forecast_day.shortfall_cents) == (
        ("i-1",),
        0,
        0,
    )
    assert predicted.required_top_up_cents == 0


def test_lead_days_move_the_renewals_to_earlier_days() -> None:
    predicted = simulate_forecast(auto("i-1", "2027-01-31"), balance_cents=500_00, lead_days=9, days=40)
    assert list(select_due_days(predicted)) == ["2027-01-22", "2027-02-19"]


def test_an_instance_is_at_risk_after_the_last_run_of_its_last_day() -> None:
    due = auto("i-1", "2027-01-20")
    assert simulate_forecast(due, balance_cents=500_00, now="2027-01-20 23:30").days[0].at_risk_ids == ()
    late = simulate_forecast(due, balance_cents=500_00, now="2027-01-20 23:45")
    assert (late.days[0].at_risk_ids, late.required_top_up_cents) == (("i-1",), 0)


@pytest.mark.parametrize("days", [0, -1, 367])
async def test_a_forecast_with_days_out_of_bounds_is_refused(world: World, days: int) -> None:
    await world.account("a")
    with pytest.raises(errors.InvalidInputError, match=rf"^days: must be between 1 and 366, not {days}$"):
        await forecast.read_forecast("a", days, world.at(NOON))


DAYS = st.dates(TODAY, TODAY + dt.timedelta(days=40)).map(dt.date.isoformat)


@st.composite
def fleets(draw: st.DrawFn) -> list[model.Instance]:
    codes = st.sampled_from(["KEC", "EBS", "KES"])
    fleet = []
    for number in range(draw(st.integers(1, 8))):
        bundle = f"b-{number}" if draw(st.integers(0, 4)) == 0 else None
        expires, months = draw(DAYS), draw(st.integers(1, 3))
        fleet += [
            auto(
                f"i-{number}-{member}",
                expires,
                draw(st.integers(1, 500_00)),
                product_code=draw(codes),
                bundle_id=bundle,
                auto_renew_months=months,
            )
            for member in range(2 if bundle else 1)
        ]
    return fleet


@st.composite
def wallets(draw: st.DrawFn) -> list[model.Voucher]:
    return [
        voucher(
            f"v-{number}",
            draw(st.integers(1, 800_00)),
            expires=f"{draw(DAYS)} {draw(st.sampled_from(['00:00:00', '12:00:00', '23:59:59']))}",
            product_codes=draw(st.sets(st.sampled_from(["KEC", "EBS", "KES"]), max_size=2)),
        )
        for number in range(draw(st.integers(0, 4)))
    ]


@hypothesis.settings(unhurried, max_examples=200)
@hypothesis.given(
    fleets(), wallets(), st.integers(0, 2000_00), st.integers(0, 3), st.sampled_from([SHANGHAI, NEW_YORK])
)
def test_the_required_top_up_is_the_smallest_amount_that_leaves_no_shortfall(
    fleet: list[model.Instance],
    vouchers: list[model.Voucher],
    balance_cents: int,
    lead_days: int,
    zone: ZoneInfo,
) -> None:
    def shortfalls(cents: int) -> list[int]:
        predicted = simulate_forecast(
            *fleet, balance_cents=cents, vouchers=vouchers, days=90, lead_days=lead_days, zone=zone
        )
        return [
            forecast_day.shortfall_cents for forecast_day in predicted.days if forecast_day.shortfall_cents
        ]

    needed = simulate_forecast(
        *fleet, balance_cents=balance_cents, vouchers=vouchers, days=90, lead_days=lead_days, zone=zone
    ).required_top_up_cents
    assert shortfalls(balance_cents + needed) == []
    if needed:
        assert shortfalls(balance_cents + needed - 1) != []


async def test_the_runs_of_60_days_equal_the_forecast(world: World) -> None:
    """Compare the forecast of 200 instances, some in bundles, with the runs of 60 days over two ends of months."""
    drawn = random.Random(20270120)
    await world.account("a", balance="9000.00", lead_days=1)
    for number, amount in enumerate(("150.00", "400.00", "75.50")):
        await world.voucher(
            amount, expires=f"2027-02-{5 + 9 * number:02}", products=["eip"] if number == 1 else []
        )
    for number in range(0, 200, 2):
        expires = (dt.date(2027, 1, 21) + dt.timedelta(days=drawn.randrange(45))).isoformat()
        about: dict[str, Any] = {
            "expires": expires,
            "mode": "AUTO",
            "months": drawn.choice((1, 1, 2)),
            "price": f"{drawn.randrange(1, 120)}.{drawn.randrange(100):02}",
            "product": drawn.choice(("eip", "kec", "kes")),
        }
        in_bundle = {"bundle": f"b-{number}"} if number % 20 == 0 else {}
        await world.instances([f"i-{number}", f"i-{number + 1}"], **about, **in_bundle)
    now = world.at("2027-01-20 12:00")
    predicted = await forecast.read_forecast("a", 60, now)
    assert any(forecast_day.at_risk_ids for forecast_day in predicted.days), "money runs out"
    assert predicted.days[10].due_count
    for forecast_day in predicted.days:
        for time in ("00:30", "01:30", "23:30"):
            moment = world.at(f"{forecast_day.date} {time}")
            if moment >= now:
                await renew.run_at(moment)
                await lifecycle.expire_and_release(moment)
        start, end = (
            world.at(f"{forecast_day.date} 00:00"),
            world.at(f"{forecast_day.date + dt.timedelta(days=1)} 00:00"),
        )
        done = await world.row(
            """SELECT coalesce(sum(voucher_cents), 0)::bigint, coalesce(sum(balance_cents), 0)::bigint
               FROM orders WHERE created_at >= $1 AND created_at < $2""",
            start,
            end,
        )
        assert done == (forecast_day.voucher_cents, forecast_day.balance_cents), forecast_day
        assert await world.value("SELECT balance_cents FROM accounts") == forecast_day.balance_after_cents
    lost = {instance_id for forecast_day in predicted.days for instance_id in forecast_day.at_risk_ids}
    await lifecycle.expire_and_release(world.at("2027-03-22 00:00"))
    expired = await world.rows("SELECT id FROM instances WHERE status <> $1", InstanceStatus.RUNNING)
    assert {instance_id for (instance_id,) in expired} == lost
    await integrity.assert_holds()
