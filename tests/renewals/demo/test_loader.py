"""The demo account has the documented contents as of any day, and its clock is at 10:00 of that day."""

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Callable

import pytest

from renewals import catalog
from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.db import migrate
from renewals.demo import data, instances, loader
from renewals.domain import errors, pricing
from renewals.domain.model import BillingMode, InstanceStatus, RenewalMode, RenewalTab
from renewals.domain.registration_report import ReportedInstance
from renewals.instances import filters, lifecycle
from renewals.instances import queries as instances_queries
from tests.renewals.test_clocks import lives
from tests.support import integrity
from tests.support.fixtures import World

DAYS = [dt.date(2026, 11, 23), dt.date(2026, 12, 31), dt.date(2027, 1, 31), dt.date(2028, 2, 29)]
DAY = dt.date(2027, 1, 31)
SEED_IDS = ("b8eac96a-807b-49f2-af7a-a173440b3b56", "61779fb8-1b30-4110-a7c4-1361ef021014")


@pytest.fixture(params=DAYS, ids=str)
def day(request: pytest.FixtureRequest) -> dt.date:
    """Return each of DAYS."""
    param: dt.date = request.param
    return param


@pytest.fixture
def rows(day: dt.date) -> list[ReportedInstance]:
    return instances.build_instances(day)


def noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), loader.ZONE).astimezone(dt.UTC)


def select_expiring(
    rows: list[ReportedInstance], mode: RenewalMode, first: dt.date, days: int
) -> list[ReportedInstance]:
    """Return the rows of a mode whose last day is one of `days` days from `first` on."""
    until = first + dt.timedelta(days=days)
    return [
        row for row in rows if row.last_day and row.renewal_mode is mode and first <= row.last_day < until
    ]


def test_the_two_seed_instances_are_manual_elastic_ips_with_a_configuration(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    seed_rows = [row for row in rows if row.id in SEED_IDS]
    assert [row.id for row in seed_rows] == list(SEED_IDS)
    for row in seed_rows:
        assert (row.product_code, row.billing_mode, row.renewal_mode) == ("eip", "PREPAID", "MANUAL")
        assert list(dict(row.configuration).items()) == [
            ("产品属性", "弹性IP"),
            ("带宽", "1Mbps"),
            ("链路类型", "BGP"),
            ("数据中心", "北京6区(VPC)"),
        ]


@pytest.mark.parametrize(
    ("today", "last_days"),
    [
        ("2021-10-15", ["2021-11-30", "2022-01-31"]),
        ("2027-01-31", ["2027-02-28", "2027-04-30"]),
        ("2028-02-29", ["2028-03-31", "2028-05-31"]),
        ("2026-12-31", ["2027-01-31", "2027-03-31"]),
    ],
)
def test_the_two_seed_instances_expire_at_the_ends_of_months(today: str, last_days: list[str]) -> None:
    rows = instances.build_instances(dt.date.fromisoformat(today))
    assert [str(row.last_day) for row in rows if row.id in SEED_IDS] == last_days


def test_a_kes_a_kec_and_an_ebs_instance_are_one_bundle(rows: list[ReportedInstance]) -> None:
    members = [row for row in rows if row.bundle_id]
    assert [row.product_code for row in members] == ["kes", "kec", "ebs"]
    shared = {(row.bundle_id, row.last_day, row.anchor, row.renewal_mode, row.created_at) for row in members}
    assert len(shared) == 1


def test_the_demo_account_has_a_trial_a_one_off_and_two_unsupported_instances(
    rows: list[ReportedInstance],
) -> None:
    assert [row.product_code for row in rows if row.is_trial] == ["kec"]
    assert [row.product_code for row in rows if row.billing_mode is BillingMode.ONE_OFF] == ["cdn"]
    assert [row.product_code for row in rows if row.product_code in ("ddos", "cert")] == ["ddos", "cert"]


def test_the_four_pay_as_you_go_instances_have_no_expiry(rows: list[ReportedInstance]) -> None:
    without = [row for row in rows if row.last_day is None]
    assert len(without) == 4
    assert {row.billing_mode for row in without} == {BillingMode.PAY_AS_YOU_GO}


def test_the_300_instances_have_13_products_6_data_centers_and_all_modes(
    rows: list[ReportedInstance],
) -> None:
    assert len(rows) == len({row.id for row in rows}) == 300
    assert len({row.product_code for row in rows}) == 13
    assert len({row.data_center_code for row in rows}) == 6
    modes = Counter(row.renewal_mode for row in rows)
    assert modes[RenewalMode.MANUAL] > modes[RenewalMode.AUTO] > modes[RenewalMode.NONE] >= 20


def test_each_mode_has_expired_and_released_instances_and_these_have_a_past_last_day(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    row_counts = Counter((row.renewal_mode, row.status) for row in rows)
    for mode in RenewalMode:
        assert row_counts[mode, InstanceStatus.EXPIRED] >= 2
        assert row_counts[mode, InstanceStatus.RELEASED] >= 1
    for row in rows:
        is_past = row.last_day is not None and row.last_day < day
        assert (row.status is not InstanceStatus.RUNNING) == is_past


def test_instances_of_each_mode_expire_within_3_7_15_and_30_days(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    tomorrow = day + dt.timedelta(days=1)
    for mode in RenewalMode:
        counts = [len(select_expiring(rows, mode, tomorrow, days)) for days in (3, 7, 15, 30)]
        assert counts == sorted(set(counts))
        assert counts[0] >= 1
    assert any(row.last_day and row.last_day > day + dt.timedelta(days=999) for row in rows)


def test_the_first_seven_auto_instances_expire_on_the_day_after_tomorrow(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    """A worker that starts at the same time as the demo must not renew the instances that the tutorial shows."""
    assert select_expiring(rows, RenewalMode.AUTO, day, 2) == []
    assert len(select_expiring(rows, RenewalMode.AUTO, day + dt.timedelta(days=2), 1)) == 7


def test_only_the_seed_and_nonrenewable_instances_expire_in_the_second_month(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    soon = [row for row in rows if row.last_day and 30 < (row.last_day - day).days < data.DAYS_LATER_MIN]
    left_out = [
        row.id for row in rows if row.billing_mode is BillingMode.ONE_OFF or row.product_code == "cert"
    ]
    assert {row.id for row in soon} <= {*SEED_IDS, *left_out}


def test_instances_with_the_anchor_day_30_or_31_expire_in_shorter_months(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    months_and_anchors = {
        (row.last_day.month, row.anchor) for row in rows if row.last_day and row.anchor != row.last_day.day
    }
    assert {(2, 31), (4, 31), (6, 31), (9, 31), (11, 31), (2, 30)} <= months_and_anchors


def test_monthly_prices_are_positive_whole_cents_and_include_odd_amounts(
    rows: list[ReportedInstance],
) -> None:
    prices = {row.monthly_price_cents for row in rows}
    assert all(type(cents) is int and cents > 0 for cents in prices)
    assert {99, 1_337, 30_003} <= prices


def test_names_are_unique_and_contain_english_and_chinese_words(rows: list[ReportedInstance]) -> None:
    assert len({row.name for row in rows}) == 300
    assert sum("shop" in row.name for row in rows) >= 5
    assert sum("商城" in row.name for row in rows) >= 5


def test_every_instance_was_created_after_the_account_and_before_today(
    rows: list[ReportedInstance], day: dt.date
) -> None:
    opened_on = day - dt.timedelta(days=800)
    for row in rows:
        assert row.created_at is not None
        assert opened_on < row.created_at.astimezone(loader.ZONE).date() < day


def test_another_day_changes_only_the_dates_of_the_instances() -> None:
    def list_values_without_dates(today: dt.date) -> list[tuple[object, ...]]:
        return [
            (row.id, row.name, row.product_code, row.monthly_price_cents, row.configuration, row.renewal_mode)
            for row in instances.build_instances(today)
        ]

    assert (
        list_values_without_dates(DAYS[0])
        == list_values_without_dates(DAYS[1])
        == list_values_without_dates(DAYS[2])
        == list_values_without_dates(DAYS[3])
    )
    assert instances.build_instances(DAYS[0]) == instances.build_instances(DAYS[0])
    assert instances.build_instances(DAYS[0]) != instances.build_instances(DAYS[1])


async def test_the_demo_account_is_loaded_with_300_instances_and_a_bundle(opened: str, day: dt.date) -> None:
    assert await loader.load(day) is True
    world = World()
    assert await world.rows("SELECT id, name, time_zone FROM accounts") == [
        ("demo", "演示账户", "Asia/Shanghai")
    ]
    assert await world.count("instances") == 300
    assert await world.count("bundles") == 1
    assert await world.value("SELECT array_agg(DISTINCT type_code ORDER BY type_code) FROM data_centers") == [
        "CLASSIC",
        "DEDICATED",
        "EDGE",
        "FINANCE",
        "VPC",
    ]


async def test_the_demo_ledger_adds_up_to_the_balance_and_is_numbered_in_order_of_time(
    opened: str, day: dt.date
) -> None:
    await loader.load(day)
    world = World()
    assert await world.balance("demo") == "10137.21"
    total = "SELECT sum(amount_cents)::bigint FROM ledger_entries WHERE voucher_id IS NULL"
    assert await world.value(total) == 1_013_721
    entries = await world.rows("SELECT number, created_at FROM ledger_entries ORDER BY created_at, number")
    assert [number for number, _ in entries] == list(range(1, len(entries) + 1))
    assert entries[-1][1] < noon(day)


async def test_the_demo_account_has_eight_vouchers_with_different_expiries_and_products(
    opened: str, day: dt.date
) -> None:
    await loader.load(day)
    vouchers = await World().rows(
        "SELECT face_cents, expires_at, product_codes FROM vouchers ORDER BY expires_at, face_cents DESC"
    )
    assert [
        (cents, (at.astimezone(loader.ZONE).date() - day).days, codes) for cents, at, codes in vouchers
    ] == [
        (50_000, -5, []),
        (3_000, 12, ["eip"]),
        (10_000, 30, []),
        (5_000, 30, []),
        (500_000, 60, ["vpn"]),
        (250_000, 90, []),
        (400_000, 120, ["eip"]),
        (8_888, 180, []),
    ]


async def test_unsupported_products_have_a_reason_in_english_and_in_chinese(opened: str) -> None:
    await loader.load(DAY)
    products = await catalog.read_products(database.pool())
    unsupported = {code: product for code, product in products.items() if not product.renewable}
    assert set(unsupported) == {"ddos", "cert"}
    assert "do not need renewal management" in str(unsupported["ddos"].unsupported_reason)
    assert "暂时不需要续费管理功能" in str(unsupported["ddos"].unsupported_reason_zh)
    assert "takes the company's data anew" in str(unsupported["cert"].unsupported_reason)
    assert "需要用户重新提交企业信息，无法支持一键续费" in str(unsupported["cert"].unsupported_reason_zh)


async def test_a_renewal_of_6_or_12_months_has_a_discount(opened: str) -> None:
    await loader.load(DAY)
    products = await catalog.read_products(database.pool())
    assert pricing.price_period(2_300, 12, 0, 1, products["eip"].tiers) == (27_600, 22_908)
    assert pricing.price_period(9_937, 6, 0, 1, products["kec"].tiers) == (59_622, 56_641)


async def test_four_instances_of_the_demo_account_are_in_no_tab(opened: str) -> None:
    await loader.load(DAY)
    left_out = filters.InstanceFilter(manageable=False)
    assert await instances_queries.count_instances(database.pool(), "demo", left_out, noon(DAY)) == 4
    counts = [
        await instances_queries.count_instances(
            database.pool(), "demo", filters.InstanceFilter(tab=tab), noon(DAY)
        )
        for tab in RenewalTab
    ]
    assert sum(counts) == 300 - 4 - 3, "four instances are in no tab, and three are released"
    assert counts[-1] == 4


async def test_the_first_automatic_renewals_are_seven_on_the_day_after_tomorrow(
    opened: str, day: dt.date, settings_override: Callable[..., None]
) -> None:
    settings_override(auto_renew_lead_days=9)  # the account has its own lead days
    await loader.load(day)
    half_past_midnight = dt.datetime.combine(day, dt.time(0, 30), loader.ZONE).astimezone(dt.UTC)
    for days, renewed_count in ((1, 0), (2, 7)):
        move = await lives.move(loader.ACCOUNT_ID, half_past_midnight + dt.timedelta(days))
        assert (move.renewed_count, move.refused_count) == (renewed_count, 0)
    await integrity.assert_holds()


async def test_no_demo_instance_is_renewed_expired_or_released_on_the_first_day(
    opened: str, day: dt.date
) -> None:
    await loader.load(day)
    last = dt.datetime.combine(day, dt.time(23, 59, 59), loader.ZONE).astimezone(dt.UTC)
    move = await lives.move(loader.ACCOUNT_ID, last)
    assert (move.renewed_count, move.expired_count, move.released_count) == (0, 0, 0)


async def test_the_worker_changes_no_row_of_the_demo_account(opened: str) -> None:
    await loader.load()
    before = await World().snapshot()
    for now in (noon(loader.DAY), noon(loader.DAY) + dt.timedelta(days=400)):
        assert await lifecycle.expire_and_release(now) == lifecycle.LapseCounts(0, 0)
        await renew.run_at(now)
    assert await World().snapshot() == before


async def test_the_demo_clock_is_at_10_00_in_the_time_zone_of_the_account(opened: str, day: dt.date) -> None:
    await loader.load(day)
    ten = dt.datetime.combine(day, dt.time(10), loader.ZONE)
    assert await World().value("SELECT test_clock FROM accounts") == ten


async def test_a_second_load_changes_no_row(opened: str) -> None:
    await loader.load(DAY)
    before = await World().snapshot()
    assert await loader.load(DAY) is False
    assert await loader.load(DAY + dt.timedelta(days=1)) is False
    assert await World().snapshot() == before


async def test_one_of_two_concurrent_loads_loads_the_demo_account(opened: str) -> None:
    assert sorted(await asyncio.gather(loader.load(DAY), loader.load(DAY))) == [False, True]
    assert await World().count("instances") == 300


async def test_two_loads_of_the_same_day_write_the_same_rows(
    database_url: str, empty_database_url: str
) -> None:
    await migrate.migrate(empty_database_url)
    loaded = []
    for url in (database_url, empty_database_url):
        async with database.connect(url):
            await loader.load(DAY)
            loaded.append(await World().snapshot())
    assert loaded[0] == loaded[1]


async def test_a_failed_load_changes_no_row(world: World) -> None:
    await world.account("a")
    await world.instance(SEED_IDS[0])
    before = await world.snapshot()
    with pytest.raises(errors.InvalidInputError, match="of another account"):
        await loader.load(DAY)
    assert await world.snapshot() == before
