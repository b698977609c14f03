"""The base of the state machine: the model and the database, the drawn inputs, and the comparison."""

import asyncio
import collections
import contextlib
import dataclasses as dc
import datetime as dt
import uuid
from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from hypothesis import stateful
from hypothesis import strategies as st

from tests.model_based import database_view, entry_points, reference_rules
from tests.model_based.model import Model
from tests.model_based.records import Instance, Refused, Request, Values, malformed
from tests.support import integrity

TALLY: collections.Counter[str] = collections.Counter()
"""The number of times that each result of each rule, and each code of a refusal, occurred in this process."""

NAMES = st.sampled_from("ab")
HANDLINGS = st.sampled_from(("REFUSE", "WHOLE"))
BATCHES = st.sampled_from(("ALL_OR_NOTHING", "BEST_EFFORT"))


class Stage(stateful.RuleBasedStateMachine):
    """One database, one model, and one clock that only moves forward."""

    now: dt.datetime

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.order_ids: dict[tuple[str, str], uuid.UUID] = {}
        self.asked: list[Request] = []
        self.ticks: set[dt.datetime] = set()
        self.count = 0
        self.loop = asyncio.Runner()
        self.stack = contextlib.AsyncExitStack()
        self.loop.run(self.stack.enter_async_context(entry_points.new_database()))

    # Invariants after every step

    @stateful.invariant()
    def the_database_is_as_the_model(self) -> None:
        actual, expected = self.loop.run(database_view.of_database()), database_view.of_model(self.model)
        for part in expected:
            assert actual[part] == expected[part], part
        TALLY["steps"] += 1
        if TALLY["steps"] % 10 == 0:
            self.loop.run(integrity.assert_holds())

    def teardown(self) -> None:
        try:
            self.loop.run(integrity.assert_holds())
        finally:
            self.loop.run(self.stack.aclose())
            self.loop.close()

    def today(self, name: str) -> dt.date:
        return self.now.astimezone(self.zone(name)).date()

    def zone(self, name: str) -> ZoneInfo:
        return self.model.accounts[name].zone

    def moments(self) -> set[dt.datetime]:
        """Return the instants at which the state changes without an action."""
        instants = {voucher.expires_at for voucher in self.model.vouchers.values()}
        instances = self.model.instances.values()
        return instants | {at for i in instances for at in (self.model.expiry(i), self.due_at(i)) if at}

    def due_at(self, i: Instance) -> dt.datetime | None:
        account = self.model.accounts[i.account]
        return reference_rules.due_at(i.last_day, account.zone, account.lead_days) if i.last_day else None

    def number(self) -> int:
        self.count += 1
        return self.count

    def draw_request(self, data: st.DataObject, wish: Values, name: str | None = None) -> Request:
        """Draw a request for one, some or all instances of an account, or a bundle. Some ids are unknown or foreign."""
        name = name or data.draw(NAMES)
        all_ids = sorted(self.model.instances)
        all_own = [i for i in all_ids if self.model.instances[i].account == name]
        own_ids = (
            [i for i in all_own if self.model.instances[i].status != "RELEASED"] or all_own or ["nothing"]
        )
        chosen_id = data.draw(st.sampled_from(own_ids))
        bundle = self.model.instances[chosen_id].bundle if chosen_id in self.model.instances else None
        members = [i for i in own_ids if bundle and self.model.instances[i].bundle == bundle]
        some = st.lists(st.sampled_from(own_ids), min_size=1, max_size=4)
        odd = st.lists(st.sampled_from([*all_ids, "nothing"]), max_size=3)
        bundle_or_one = st.just(members or [chosen_id])
        ids = data.draw(
            st.one_of(st.just([chosen_id]), bundle_or_one, bundle_or_one, some, some, st.just(own_ids), odd)
        )
        return Request(name, tuple(ids), wish, data.draw(HANDLINGS), data.draw(BATCHES))

    def draw_order(self, data: st.DataObject, wish: Values, name: str | None = None) -> Request:
        """Draw a request with a key, usually a new one, and sometimes with a correct or a wrong expected total."""
        request = self.draw_request(data, wish, name)
        used = [key for account, key in self.model.answers if account == request.account]
        key = data.draw(st.sampled_from([*[f"key-{self.number()}"] * 20, *used[-1:], "", "k" * 65]))
        if data.draw(st.sampled_from((*[False] * 30, True))):
            request = dc.replace(request, wish=(wish[0], 37) if wish[0] != "date" else wish)
        off = data.draw(st.sampled_from((*[None] * 6, 0, 0, 1, -1)))
        expected = None
        if off is not None and not malformed(request):
            expected = sum(line.price for line in self.model.quote(request, self.now)[0]) + off
        return dc.replace(request, key=key, expected=expected)

    def place(self, request: Request) -> None:
        """Quote and order. A repeated key must return the stored result with the same order."""
        self.both(
            f"quote {request.wish[0]}", lambda: self.quoted(request), entry_points.quote(request, self.now)
        )
        self.asked.append(request)

        async def place() -> Values:
            order_id, result = await entry_points.place(request, self.now)
            assert self.order_ids.setdefault((request.account, request.key), order_id) == order_id
            return result

        self.both(request.wish[0], lambda: self.model.place(request, self.now), place())
        assert len(set(self.order_ids.values())) == len(self.order_ids)

    def quoted(self, request: Request) -> Values:
        """Return the model's quote in the terms of the entry points."""
        lines, refusals, payment = self.model.quote(request, self.now)
        line_tuples = [
            (
                line.instance.id,
                reference_rules.end_of(line.last_day, self.zone(request.account)),
                line.anchor,
                line.months,
                line.days,
                line.list_price,
                line.price,
            )
            for line in lines
        ]
        return line_tuples, refusals, (payment.uses, payment.balance, payment.shortfall)

    def both(self, what: str, of_model: Callable[[], object], call: Awaitable[object]) -> None:
        """Do an action in the model and in the tested code, and compare the results."""
        try:
            expected = of_model()
        except Refused as refused:
            expected = refused.args
        actual = self.loop.run(entry_points.answer(call))
        assert actual == expected, what
        refused_as = (
            expected[0]
            if isinstance(expected, tuple) and expected and isinstance(expected[0], str)
            else "done"
        )
        TALLY[f"{what}: {refused_as}"] += 1
        for codes in expected if isinstance(expected, tuple) else ():
            if isinstance(codes, dict) and not what.startswith("quote"):
                TALLY.update(f"code {code}" for code in codes.values())
