"""Instances of the demo account, which are examples of the rules for instances.

The dates and anchor days depend on the day of the demo; the number, order, ids, names and prices of the instances are
fixed.
"""

import datetime as dt
import itertools
import random
import uuid
from collections.abc import Iterator
from dataclasses import replace

from renewals.catalog import DataCenterRecord, ProductRecord
from renewals.demo import data
from renewals.demo.data import ZONE, Offer
from renewals.domain import dates
from renewals.domain.model import BillingMode, InstanceStatus, RenewalMode
from renewals.domain.registration_report import ReportedInstance

BUNDLE_ID = "demo-kes"
SEED_IDS = ("b8eac96a-807b-49f2-af7a-a173440b3b56", "61779fb8-1b30-4110-a7c4-1361ef021014")
_FEBRUARY = 2


def build_instances(day: dt.date) -> list[ReportedInstance]:
    """Return all instances of the demo account as of a day; the result is the same for every call with this day."""
    maker = _InstanceMaker(day)
    rows = [*_seed_instances(maker), *_bundle(maker), *_unmanageable(maker), *_without_expiry(maker)]
    rows += [*_month_ends(maker), *_expiring_soon(maker)]
    return rows + list(_expiring_later(maker, count=data.INSTANCE_COUNT - len(rows)))


class _InstanceMaker:
    """A builder of instances; the id, name and price of the n-th instance do not depend on the day."""

    def __init__(self, day: dt.date) -> None:
        self.day = day
        self.random = random.Random(20_211_130)  # noqa: S311  # not for secrets
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
        """Return an instance; the offer and data center, if not given, and other properties are chosen at random."""
        self._made += 1
        random_offer = self.random.choices(data.OFFERS, [entry.weight for entry in data.OFFERS])[0]
        offer, data_center = offer or random_offer, data_center or self.random.choice(data.DATA_CENTERS)
        variant = self.random.choice(offer.variants)
        months = self.random.choice((1, 1, 1, 3, 12))
        stage, purpose = self.random.choice(data.STAGES), self.random.choice(data.PURPOSES)
        return ReportedInstance(
            id=str(uuid.uuid5(data.ID_NAMESPACE, f"instance {self._made}")),
            name=self._name(offer.product, stage, purpose),
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
            tags=self._tags(stage, purpose),
        )

    def in_days(self, days: int) -> dt.date:
        """Return the date that is `days` days after the day of the demo."""
        return self.day + dt.timedelta(days=days)

    def _tags(self, stage: data.Word, purpose: data.Word) -> list[tuple[str, str]]:
        """Return the tags: every fifth instance has none, and every third instance has no project tag."""
        if self._made % 5 == 0:
            return []
        tags = [("env", stage.en)]
        return tags if self._made % 3 == 0 else [*tags, ("项目", purpose.zh)]

    def _name(self, product: ProductRecord, stage: data.Word, purpose: data.Word) -> str:
        if self._made % 2:
            return f"{stage.en}-{purpose.en}-{product.code}-{self._made:03d}"
        return f"{stage.zh}-{purpose.zh}-{product.name_zh}-{self._made:03d}"

    def _created_at(self, last_day: dt.date | None, anchor_day: int | None) -> dt.datetime:
        """Return an instant before the day of the demo.

        The last day, if there is one, is a whole number of months after this instant, counted with the anchor day.
        """
        months, minute = self.random.randint(1, 18), self.random.randrange(24 * 60)
        if last_day is None:
            created_on = self.in_days(-30 * months)
        else:
            anchor_day = anchor_day or last_day.day
            ahead = max(0, dates.months_between(anchor_day, self.day, last_day) + 1)
            created_on = dates.add_months(anchor_day, last_day, -ahead - months)
        return dt.datetime.combine(created_on, dt.time(*divmod(minute, 60)), ZONE).astimezone(dt.UTC)

    def _status(self, last_day: dt.date | None, retention_days: int) -> InstanceStatus:
        """Return the status that the worker would have set by today (rule 22)."""
        if last_day is None or last_day >= self.day:
            return InstanceStatus.RUNNING
        is_retained = last_day + dt.timedelta(days=retention_days) >= self.day
        return InstanceStatus.EXPIRED if is_retained else InstanceStatus.RELEASED


def _seed_instances(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield the two instances of the original specification: they expire at month ends, two months apart."""
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


def _bundle(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield a KES instance with the KEC and EBS instances of its bundle (rule 10)."""
    offers, last_day = (data.KES, data.KEC, data.EBS), maker.in_days(12)
    rows = [maker.make(last_day, offer=offer, data_center=data.BEIJING_6) for offer in offers]
    for row in rows:
        yield replace(row, bundle_id=BUNDLE_ID, created_at=rows[0].created_at)


def _unmanageable(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield instances that cannot be renewed (rules 1 and 2)."""
    yield replace(maker.make(maker.in_days(5), offer=data.KEC), is_trial=True)
    yield replace(maker.make(maker.in_days(60), offer=data.CDN), billing_mode=BillingMode.ONE_OFF)
    yield maker.make(maker.in_days(20), offer=data.DDOS)
    yield maker.make(maker.in_days(40), offer=data.CERT)


def _without_expiry(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield pay-as-you-go instances (rule 3)."""
    for offer in (data.KEC, data.EIP, data.EBS, data.CDN):
        yield maker.make(None, offer=offer)


def _month_ends(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield instances that expire in a month without their anchor day, 3 to 14 months from today (rule 6).

    Any twelve consecutive months give the same number of such instances, so the instances that are made after them do
    not depend on the day.
    """
    modes = itertools.cycle((RenewalMode.AUTO, RenewalMode.MANUAL))
    for months in range(3, 15):
        last_day = dates.add_months(31, maker.day, months)
        if last_day.day < 31:
            yield maker.make(last_day, next(modes), anchor_day=31)
        if last_day.month == _FEBRUARY:
            yield maker.make(last_day, next(modes), anchor_day=30)


def _expiring_soon(maker: _InstanceMaker) -> Iterator[ReportedInstance]:
    """Yield an instance for each number in `data.DAYS_LEFT`: past expiry, expiring soon, or near the maximum term."""
    for mode, days_left in data.DAYS_LEFT.items():
        for days in days_left:
            offer = data.KEC if days > data.DAYS_LATER_MAX else None
            if days == data.LONG_EXPIRED_DAYS:
                offer = data.RDS
            yield maker.make(maker.in_days(days), mode, offer=offer)


def _expiring_later(maker: _InstanceMaker, *, count: int) -> Iterator[ReportedInstance]:
    """Yield `count` instances with more than two months left."""
    for _ in range(count):
        mode = maker.random.choices(list(data.MODE_WEIGHTS), list(data.MODE_WEIGHTS.values()))[0]
        days = maker.random.randint(data.DAYS_LATER_MIN, data.DAYS_LATER_MAX)
        yield maker.make(maker.in_days(days), mode)
