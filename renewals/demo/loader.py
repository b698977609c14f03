"""The demo account: everything the rules speak of, placed around a given day, the same every time."""

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

from renewals import catalog
from renewals.accounts import ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.catalog import DataCenterRecord, ProductRecord
from renewals.db import connection as database
from renewals.db.advisory_locks import AdvisoryLock, lock_in
from renewals.demo import data
from renewals.demo.data import Offer
from renewals.domain import dates, errors, registration
from renewals.domain.model import BillingMode, InstanceStatus, RenewalMode
from renewals.domain.registration_report import ReportedInstance
from renewals.instances import repository as instances_repository

ACCOUNT_ID = "demo"
ACCOUNT_NAME = "演示账户"
ZONE = ZoneInfo("Asia/Shanghai")
BUNDLE_ID = "demo-kes"
LEAD_DAYS = 0
"""The account's own, whatever the setting is: nothing may be due when a worker starts with it."""
SEED_IDS = ("b8eac96a-807b-49f2-af7a-a173440b3b56", "61779fb8-1b30-4110-a7c4-1361ef021014")

_NAMESPACE = uuid.UUID("6f6a4c1e-3f0b-5d6e-9a57-1f0c2d7b8e90")
_FEBRUARY = 2


def opened_at(day: dt.date) -> dt.datetime:
    """Return when the account of that day was opened."""
    return _ago(day, days=800)


def today(now: dt.datetime) -> dt.date:
    """Return the date in the demo account's zone."""
    return now.astimezone(ZONE).date()


async def load(day: dt.date) -> bool:
    """Load the demo account as of a day in its zone; return False, and change nothing, if it is there.

    Raises InvalidInputError where its id is that of another account, or ids of its instances are another account's.
    """
    async with database.transaction() as connection:
        if await lock(connection):
            return False
        await accounts_repository.open_account(
            connection,
            account_id=ACCOUNT_ID,
            name=ACCOUNT_NAME,
            zone=ZONE,
            now=opened_at(day),
            lead_days=LEAD_DAYS,
        )
        await accounts_repository.mark_demo(connection, ACCOUNT_ID)
        await fill(connection, day)
    return True


async def load_into_empty(day: dt.date) -> bool:
    """Load the demo account as of a day where no other account exists; return whether it is there now."""
    if await accounts_repository.is_demo(database.pool(), ACCOUNT_ID):
        return True
    if await accounts_repository.has_accounts(database.pool()):
        return False
    await load(day)
    return True


async def lock(connection: database.Connection) -> bool:
    """Lock the demo account, and all that would load it; return False if it is not there.

    Raises InvalidInputError where its id is that of another account.
    """
    await lock_in(connection, AdvisoryLock.DEMO_ACCOUNT)
    if not await accounts_repository.lock_accounts(connection, [ACCOUNT_ID]):
        return False
    if not await accounts_repository.is_demo(connection, ACCOUNT_ID):
        raise errors.InvalidInputError(
            "account",
            f"{ACCOUNT_ID!r} is the id of an account that `renewals demo` did not make; it is left alone",
        )
    return True


async def fill(connection: database.Connection, day: dt.date) -> None:
    """Give the demo account, which is locked and empty, its money and its instances."""
    await _add_to_catalogue(connection)
    await _give_money(connection, day)
    account = (await accounts_repository.lock_accounts(connection, [ACCOUNT_ID]))[ACCOUNT_ID]
    bundles = {BUNDLE_ID: "日志检索 KES"}
    registration.raise_if_refused(
        await instances_repository.register(
            connection, account, registrations(day), bundles, _ago(day, days=0)
        )
    )


async def _add_to_catalogue(connection: database.Connection) -> None:
    """Add the demo's products and data centers; those that a provider has under the same code stay as they are."""
    await catalog.lock_catalog(connection)
    codes = {product.code for product in await catalog.list_products(connection)}
    products = [offer.product for offer in data.OFFERS]
    await catalog.upsert_products(connection, [each for each in products if each.code not in codes])
    codes = {center.code for center in await catalog.list_data_centers(connection)}
    await catalog.upsert_data_centers(
        connection, [each for each in data.DATA_CENTERS if each.code not in codes]
    )


async def _give_money(connection: database.Connection, day: dt.date) -> None:
    for number, income in enumerate(data.INCOME):
        now = _ago(day, days=income.days_ago)
        match income:
            case data.DemoTopUp(_, cents, memo):
                await ledger.top_up(connection, ACCOUNT_ID, cents, memo=memo, now=now)
            case data.Gift(_, cents, days_left, product_codes):
                await vouchers.issue_voucher(
                    connection,
                    ACCOUNT_ID,
                    cents,
                    expires_at=dates.end_of_day(day + dt.timedelta(days=days_left), ZONE),
                    now=now,
                    product_codes=product_codes,
                    voucher_id=uuid.uuid5(_NAMESPACE, f"voucher {number}"),
                )


def registrations(day: dt.date) -> list[ReportedInstance]:
    """All instances of the demo account as of that day; pure, and but for the dates the same for every day."""
    maker = _Maker(day)
    rows = [*_seed_page(maker), *_bundle(maker), *_left_out(maker), *_without_expiry(maker)]
    rows += [*_month_ends(maker), *_near(maker)]
    return rows + list(_later(maker, count=data.INSTANCES - len(rows)))


class _Maker:
    """Makes up instances one by one; the n-th has the same id, name and price whatever the day."""

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self.random = random.Random(20_211_130)  # noqa: S311  # nothing secret is drawn
        self._made = 0

    def make(
        self,
        last_day: dt.date | None,
        mode: RenewalMode = RenewalMode.MANUAL,
        *,
        anchor_day: int | None = None,
        offer: Offer | None = None,
        data_center: DataCenterRecord | None = None,
    ) -> ReportedInstance:
        """One instance; what is not said of it is drawn."""
        self._made += 1
        drawn = self.random.choices(data.OFFERS, [each.weight for each in data.OFFERS])[0]
        offer, data_center = offer or drawn, data_center or self.random.choice(data.DATA_CENTERS)
        variant = self.random.choice(offer.variants)
        months = self.random.choice((1, 1, 1, 3, 12))
        return ReportedInstance(
            id=str(uuid.uuid5(_NAMESPACE, f"instance {self._made}")),
            name=self._name(offer.product),
            product_code=offer.product.code,
            data_center_code=data_center.code,
            monthly_price_cents=variant.monthly_cents,
            created_at=self._created_at(last_day, anchor_day),
            last_day=last_day,
            anchor_day=anchor_day,
            billing_mode=BillingMode.PREPAID if last_day else BillingMode.PAY_AS_YOU_GO,
            status=self._status(last_day, offer.product.retention_days),
            renewal_mode=mode,
            auto_renew_months=months if mode is RenewalMode.AUTO else 1,
            configuration={
                "产品属性": offer.product.name_zh,
                **variant.configuration,
                "数据中心": data_center.name,
            },
        )

    def in_days(self, days: int) -> dt.date:
        """The day that many days from today."""
        return self.day + dt.timedelta(days=days)

    def _name(self, product: ProductRecord) -> str:
        stage, purpose = self.random.choice(data.STAGES), self.random.choice(data.PURPOSES)
        if self._made % 2:
            return f"{stage[0]}-{purpose[0]}-{product.code}-{self._made:03d}"
        return f"{stage[1]}-{purpose[1]}-{product.name_zh}-{self._made:03d}"

    def _created_at(self, last_day: dt.date | None, anchor_day: int | None) -> dt.datetime:
        """A time of day whole anchored months before the expiry, and before today."""
        months, minute = self.random.randint(1, 18), self.random.randrange(24 * 60)
        if last_day is None:
            created_on = self.in_days(-30 * months)
        else:
            anchor_day = anchor_day or last_day.day
            ahead = max(0, dates.months_between(anchor_day, self.day, last_day) + 1)
            created_on = dates.add_months(anchor_day, last_day, -ahead - months)
        return dt.datetime.combine(created_on, dt.time(*divmod(minute, 60)), ZONE).astimezone(dt.UTC)

    def _status(self, last_day: dt.date | None, retention_days: int) -> InstanceStatus:
        """What the worker would have made of it by now (rule 22)."""
        if last_day is None or last_day >= self.day:
            return InstanceStatus.RUNNING
        is_kept = last_day + dt.timedelta(days=retention_days) >= self.day
        return InstanceStatus.EXPIRED if is_kept else InstanceStatus.RELEASED


def _seed_page(maker: _Maker) -> Iterator[ReportedInstance]:
    """The two instances on the page that the rules were taken from: month ends, two months apart."""
    first = dates.add_months(31, maker.day, 1)
    for instance_id, last_day in zip(SEED_IDS, (first, dates.add_months(31, first, 2)), strict=True):
        row = maker.make(last_day, anchor_day=31, offer=data.EIP, data_center=data.BEIJING_6)
        smallest = data.EIP.variants[0]
        yield replace(
            row,
            id=instance_id,
            monthly_price_cents=smallest.monthly_cents,
            configuration={**dict(row.items), **smallest.configuration},
        )


def _bundle(maker: _Maker) -> Iterator[ReportedInstance]:
    """A KES with the KEC and the EBS that were ordered with it (rule 10)."""
    offers, last_day = (data.KES, data.KEC, data.EBS), maker.in_days(12)
    rows = [maker.make(last_day, offer=offer, data_center=data.BEIJING_6) for offer in offers]
    for row in rows:
        yield replace(row, bundle_id=BUNDLE_ID, created_at=rows[0].created_at)


def _left_out(maker: _Maker) -> Iterator[ReportedInstance]:
    """What renewal management does not serve (rules 1 and 2)."""
    yield replace(maker.make(maker.in_days(5), offer=data.KEC), is_trial=True)
    yield replace(maker.make(maker.in_days(60), offer=data.CDN), billing_mode=BillingMode.ONE_OFF)
    yield maker.make(maker.in_days(20), offer=data.DDOS)
    yield maker.make(maker.in_days(40), offer=data.CERT)


def _without_expiry(maker: _Maker) -> Iterator[ReportedInstance]:
    """Pay-as-you-go: listed, never renewed (rule 3)."""
    for offer in (data.KEC, data.EIP, data.EBS, data.CDN):
        yield maker.make(None, offer=offer)


def _month_ends(maker: _Maker) -> Iterator[ReportedInstance]:
    """Anchors on days that the month of expiry does not have, over a year from the third month on (rule 6).

    Any twelve months have as many of them, so that whatever is made after them is the same on every day.
    """
    modes = itertools.cycle((RenewalMode.AUTO, RenewalMode.MANUAL))
    for months in range(3, 15):
        last_day = dates.add_months(31, maker.day, months)
        if last_day.day < 31:
            yield maker.make(last_day, next(modes), anchor_day=31)
        if last_day.month == _FEBRUARY:
            yield maker.make(last_day, next(modes), anchor_day=30)


def _near(maker: _Maker) -> Iterator[ReportedInstance]:
    """What has expired, expires today, or soon; some that are at the end of the longest term, or long expired."""
    for mode, days_left in data.DAYS_LEFT.items():
        for days in days_left:
            offer = data.KEC if days > data.DAYS_LATER_MAX else None
            if days == data.KEPT_FOR_LONG:
                offer = data.RDS
            yield maker.make(maker.in_days(days), mode, offer=offer)


def _later(maker: _Maker, *, count: int) -> Iterator[ReportedInstance]:
    """The many that have more than two months left."""
    for _ in range(count):
        mode = maker.random.choices(list(data.MODE_WEIGHTS), list(data.MODE_WEIGHTS.values()))[0]
        days = maker.random.randint(data.DAYS_LATER_MIN, data.DAYS_LATER_MAX)
        yield maker.make(maker.in_days(days), mode)


def _ago(day: dt.date, *, days: int) -> dt.datetime:
    """The instant at which the day so many days before begins in the account's zone."""
    return dt.datetime.combine(day - dt.timedelta(days=days), dt.time(), ZONE).astimezone(dt.UTC)
