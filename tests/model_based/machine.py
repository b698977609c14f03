"""The state machine: random actions of customers, operators, the worker and the clock, on model and database alike."""

import dataclasses as dc
import datetime as dt
import uuid
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import stateful
from hypothesis import strategies as st

from tests.model_based import entry_points, reference_rules
from tests.model_based.records import PRODUCTS, Account, Instance, RefundRequest, Voucher
from tests.model_based.stage import NAMES, TALLY, Stage

ZONES = ("Asia/Shanghai", "America/New_York", "Asia/Kolkata", "America/Santiago")
"""Zones without daylight saving time, with it, with a half-hour offset, and with a change at midnight."""

STARTS = ("2027-02-28", "2028-02-29", "2027-03-14", "2027-11-07", "2027-04-03", "2027-09-04")
"""The end of a short month, a leap day, both clock changes of New York, and both of Santiago."""

SECOND, HOUR = dt.timedelta(seconds=1), dt.timedelta(hours=1)
DAY = 24 * HOUR
LEAPS = (SECOND, HOUR, 12 * HOUR, DAY, DAY, 3 * DAY, 9 * DAY, 9 * DAY, 30 * DAY, 152 * DAY)
OFFS = (-SECOND, 0 * SECOND, dt.timedelta(microseconds=1), SECOND)
MODES = st.sampled_from(("MANUAL", "AUTO", "AUTO", "NONE"))
MONTHS = st.sampled_from((1, 1, 1, 1, 2, 2, 3, 5, 6, 12, 13, 24, 25, 36))

REGISTRATION = st.fixed_dictionaries(
    {
        "day": st.sampled_from((-40, -1, 0, 0, 1, 2, 20, 45)),
        "anchor": st.sampled_from((None, None, None, None, 29, 30, 31)),
        "products": st.sampled_from((("eip",), ("kec",), ("ebs",), ("kec", "ebs"), ("eip", "ebs", "kec"))),
        "mode": MODES,
        "months": MONTHS,
        "price": st.sampled_from((0, 1, 10, 99_99, 300_00, 300_10, 1_234_57)),
        "odd": st.sampled_from((*[None] * 18, "trial", "ddos", "one-off", "pay", "anchor", "months")),
    }
)
"""One instance or a bundle. Some expire at the end of a month, and sometimes the last one has an invalid value."""

rule = stateful.rule
needs_instances = stateful.precondition(lambda machine: machine.model.instances)


class Renewals(Stage):
    """The rules of the state machine, one for each action."""

    @stateful.initialize(
        start=st.sampled_from(STARTS),
        zones=st.permutations(ZONES),
        lead_days=st.sampled_from((0, 0, 3)),
        cut_over=st.sampled_from((-30, 0, 3)),
        cents=st.sampled_from((10_00, 1_000_00, 20_000_00)),
        registrations=st.lists(REGISTRATION, min_size=3, max_size=5),
    )
    def open_two_accounts(
        self,
        start: str,
        zones: list[str],
        lead_days: int,
        cut_over: int,
        cents: int,
        registrations: list[dict[str, Any]],
    ) -> None:
        self.now = dt.datetime.fromisoformat(f"{start} 12:00:00+00:00")
        begins = (self.now + dt.timedelta(days=cut_over), self.now - dt.timedelta(days=30))
        for name, zone, days, begins_at in zip("ab", zones, (lead_days, 0), begins, strict=False):
            self.model.accounts[name] = Account(ZoneInfo(zone), days, begins_at)
            self.loop.run(entry_points.open_account(name, self.model.accounts[name]))
            self.top_up(name, cents)
        for name, registration in zip("abaab", registrations, strict=False):
            self.register(name, registration)

    # Provider

    @rule(name=NAMES, cents=st.sampled_from((1, 100_00, 5_000_00, 30_000_00)))
    def top_up(self, name: str, cents: int) -> None:
        self.both(
            "top_up", lambda: self.model.top_up(name, cents), entry_points.top_up(name, cents, self.now)
        )

    @rule(
        name=NAMES,
        cents=st.sampled_from((1, 50_00, 50_00, 800_00)),
        days=st.sampled_from((0, 0, 1, 40)),
        products=st.sampled_from(((), (), ("eip",), ("kec", "ebs"))),
    )
    def give_voucher(self, name: str, cents: int, days: int, products: tuple[str, ...]) -> None:
        """Issue a voucher. Several vouchers can expire at the same instant, and their ids are in no order."""
        expires_at = reference_rules.end_of(self.today(name) + days * reference_rules.DAY, self.zone(name))
        voucher_id = uuid.uuid5(uuid.NAMESPACE_OID, str(self.number()))
        voucher = Voucher(voucher_id, name, cents, expires_at, frozenset(products))
        self.both("give_voucher", lambda: self.model.issue(voucher), entry_points.issue(voucher, self.now))

    @rule(name=NAMES, registration=REGISTRATION)
    def register(self, name: str, registration: dict[str, Any]) -> None:
        last_day = self.today(name) + registration["day"] * reference_rules.DAY
        if anchor := registration["anchor"]:
            last_day = reference_rules.anchored(anchor, last_day.year, last_day.month)
        common = {key: registration[key] for key in ("mode", "months")} | {
            "account": name,
            "last_day": last_day,
            "anchor": anchor or last_day.day,
            "bundle": f"bundle-{self.number()}" if len(registration["products"]) > 1 else None,
        }
        number = self.number()
        added = [
            Instance(id=f"i-{number}-{n}", product=product, price=registration["price"] + n, **common)
            for n, product in enumerate(registration["products"])
        ]
        odd: dict[str, dict[str, Any]] = {
            "trial": {"trial": True},
            "ddos": {"product": "ddos"},
            "one-off": {"billing": "ONE_OFF"},
            "pay": {"billing": "PAY_AS_YOU_GO", "last_day": None, "anchor": None},
            "anchor": {"anchor": last_day.day % 28 + 1},
            "months": {"months": registration["months"] + 1},
        }
        added[-1] = dc.replace(added[-1], **odd.get(registration["odd"], {}))
        self.both("register", lambda: self.model.register(added), entry_points.register(added, self.now))

    # Customer

    @needs_instances
    @rule(data=st.data(), mode=MODES, months=st.none() | MONTHS)
    def set_policy(self, data: st.DataObject, mode: str, months: int | None) -> None:
        request = self.draw_request(data, ("policy", mode, months))
        call = entry_points.set_policy(request, self.now)
        self.both("set_policy", lambda: self.model.set_policy(request, self.now), call)

    @needs_instances
    @rule(data=st.data(), months=MONTHS)
    def renew(self, data: st.DataObject, months: int) -> None:
        self.place(self.draw_order(data, ("renew", months)))

    @needs_instances
    @rule(data=st.data(), days=st.sampled_from((0, 0, 1, 15, 33, 61, 100, 366)))
    def unify_to_a_date(self, data: st.DataObject, days: int) -> None:
        """Unify to a date relative to today, to an expiry, or to the last day that a product permits."""
        name = data.draw(NAMES)
        last_days = [i.last_day for i in self.model.instances.values() if i.account == name and i.last_day]
        terms = sorted({product.max_term_months for product in PRODUCTS.values()})
        ends = [reference_rules.furthest(self.now, self.zone(name), term, dt.date.min) for term in terms]
        day = data.draw(st.sampled_from([self.today(name), *last_days, *ends])) + days * reference_rules.DAY
        self.place(self.draw_order(data, ("date", day), name))

    @needs_instances
    @rule(data=st.data(), day=st.sampled_from((1, 12, 15, 28, 29, 30, 31, 31)))
    def unify_to_a_day_of_the_month(self, data: st.DataObject, day: int) -> None:
        self.place(self.draw_order(data, ("day", day)))

    @stateful.precondition(lambda machine: machine.asked)
    @rule(data=st.data())
    def ask_once_more(self, data: st.DataObject) -> None:
        """Repeat a request with the same key, whether it was done or refused, with the ids in another order."""
        request = data.draw(st.sampled_from(self.asked))
        self.place(dc.replace(request, ids=request.ids[::-1]))

    # Operator

    @stateful.precondition(lambda machine: machine.model.paid)
    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        """Refund all, some or unknown lines of an order, usually one in the future, and sometimes with a used key."""
        count = len(self.model.paid)
        ahead = [number for number in range(count) if self.is_ahead(number)] or [count - 1]
        which = st.one_of(
            *[st.sampled_from(ahead)] * 5, st.just(ahead[0]), st.integers(0, count - 1), st.just(count)
        )
        order = data.draw(which)
        lines = self.model.paid[order][0] if order < count else []
        own_ids = [line.instance.id for line in lines] or ["nothing"]
        some = st.lists(st.sampled_from(own_ids), min_size=1, max_size=3)
        odd = st.lists(st.sampled_from([*sorted(self.model.instances), "nothing"]), max_size=2)
        ids = data.draw(st.one_of(st.none(), st.none(), st.just(own_ids), some, odd))
        used = list(self.model.refund_answers.values())[-1:]
        request = RefundRequest(order, None if ids is None else tuple(ids), f"refund-{self.number()}")
        match data.draw(st.sampled_from((*["new"] * 8, "key", "request"))):
            case "key" if used:
                request = dc.replace(request, key=used[0][0].key)
            case "request" if used:
                request = used[0][0]
        self.refund_as_is(request)

    def is_ahead(self, number: int) -> bool:
        """Return whether an order has a period that has not begun."""
        lines = self.model.paid[number][0]
        starts = [reference_rules.end_of(line.start, self.zone(line.instance.account)) for line in lines]
        return max(starts) >= self.now

    def refund_as_is(self, request: RefundRequest) -> None:
        line = self.model.paid[request.order][0][0] if request.order < len(self.model.paid) else None
        start = reference_rules.end_of(line.start, self.zone(line.instance.account)) if line else self.now
        call = entry_points.refund(request, line, start, self.now)
        self.both("refund", lambda: self.model.refund(request, self.now), call)

    # Worker and clock

    @rule(what=st.sampled_from(("a run", "a run twice", "the hour's run", "lapse")))
    def wake_worker(self, what: str) -> None:
        match what:
            case "a run" | "a run twice":
                for _ in what.split()[1:]:
                    self.both(what, self.run, entry_points.run(self.now))
            case "the hour's run":
                self.run_hourly()
            case "lapse":
                self.both(what, lambda: self.model.lapse(self.now), entry_points.lapse(self.now))

    @needs_instances
    @rule(off=st.sampled_from((*OFFS, HOUR, HOUR)), lapses=st.booleans())
    def let_a_night_pass(self, off: dt.timedelta, lapses: bool) -> None:
        """Advance to the next due time and run the worker."""
        auto = [i for i in self.model.instances.values() if (i.mode, i.status) == ("AUTO", "RUNNING")]
        due = [at for at in map(self.due_at, auto) if at and at + off >= self.now]
        self.now = min(due) + off if due else self.now
        self.wake_worker("the hour's run")
        self.wake_worker("lapse" if lapses else "a run")

    def run(self) -> tuple[int, int, int]:
        """Run the automatic renewals of the model."""
        before = len(self.model.attempts)
        counts = self.model.run(self.now)
        TALLY.update(f"tried by a run: {code or 'renewed'}" for *_, code in self.model.attempts[before:])
        return counts

    def run_hourly(self) -> None:
        """Do the hour's run, with each chunk done twice in the tested code. The run exists once for all callers."""
        half_past = self.now.replace(minute=30, second=0, microsecond=0)
        tick = half_past if half_past <= self.now else half_past - HOUR
        is_new = tick not in self.ticks
        if is_new:
            self.ticks.add(tick)
            self.run()
        self.both("the hour's run", lambda: is_new, entry_points.run_hourly(self.now))

    @rule(data=st.data(), by=st.sampled_from((*LEAPS, *[None] * 8)), off=st.sampled_from(OFFS))
    def let_time_pass(self, data: st.DataObject, by: dt.timedelta | None, off: dt.timedelta) -> None:
        """Advance by a duration, or to an expiry or a due time, or just before or after it."""
        ahead = sorted(moment + off for moment in self.moments() if moment + off >= self.now)
        if by or not ahead:
            self.now += by or DAY
        else:
            self.now = data.draw(st.sampled_from(ahead[:6]))
        TALLY["let time pass" if by else "wait for a moment"] += 1
