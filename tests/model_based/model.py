"""docs/rules.md as plain Python on plain objects: one clock, one thread, no storage.

The model follows only the rules, and does not need to be fast. Its results are tuples, which the state machine compares
with those of the tested code. The state machine also compares the model's state with the database.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from tests.model_based import reference_rules
from tests.model_based.records import (
    PRODUCTS,
    Account,
    Instance,
    Line,
    PaidLine,
    Payment,
    RefundRequest,
    Refused,
    Request,
    Values,
    Voucher,
    keep,
    malformed,
    malformed_key,
    shared,
    unserved,
)


class Model:
    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.vouchers: dict[uuid.UUID, Voucher] = {}
        self.instances: dict[str, Instance] = {}
        self.orders: list[Values] = []
        self.paid: list[tuple[list[PaidLine], list[uuid.UUID]]] = []
        """The lines of each order, and its vouchers in the order in which they paid."""
        self.refunds: list[Values] = []
        self.refund_answers: dict[str, tuple[RefundRequest, Values]] = {}
        self.answers: dict[tuple[str, str], tuple[Request, Values]] = {}
        self.attempts: list[Values] = []

    # Provider

    def top_up(self, account: str, cents: int) -> None:
        self.accounts[account].balance += cents
        self._enter(account, "TOP_UP", cents, self.accounts[account].balance, None)

    def issue(self, voucher: Voucher) -> None:
        self.vouchers[voucher.id] = voucher
        self._enter(voucher.account, "TOP_UP", voucher.available, voucher.available, voucher.id)

    def register(self, instances: Sequence[Instance]) -> None:
        """Register instances (rules 6, 11 and 26)."""
        for i in instances:
            if i.months > 36:
                raise Refused("InvalidInput", "instances.autoRenewMonths")
            if (
                i.last_day
                and i.anchor
                and reference_rules.anchored(i.anchor, i.last_day.year, i.last_day.month) != i.last_day
            ):
                raise Refused("InvalidInput", "instances.anchorDay")
        for i in instances:
            for other in [*self.instances.values(), *instances]:
                if i.bundle and i.bundle == other.bundle and shared(i) != shared(other):
                    raise Refused("InvalidInput", "instances.bundleId")
        self.instances |= {i.id: i for i in instances}

    def lapse(self, now: dt.datetime) -> None:
        """Store the statuses of rule 22."""
        for i in self.instances.values():
            i.status = self._status(i, now)

    # Customer

    def set_policy(self, request: Request, now: dt.datetime) -> Values:
        """Set the policy (rule 8); return the changed, the unchanged and the refused instances."""
        _, mode, months = request.wish

        def judge(i: Instance) -> str | None:
            if code := unserved(i, self._status(i, now)):
                return code
            if mode == "AUTO" and self._is_over(i, now):
                return "EXPIRED"
            too_long = mode == "AUTO" and (months or i.months) > PRODUCTS[i.product].max_term_months
            return "MAX_TERM_EXCEEDED" if too_long else None

        units, refusals = self._units(request, now)
        accepted = keep(units, {i.id: judge(i) for unit in units for i in unit}, refusals)
        if refusals and request.batch == "ALL_OR_NOTHING":
            raise Refused("NotRenewable", refusals)
        unchanged_ids = {
            i.id for i in accepted if i.mode == mode and (mode != "AUTO" or months in (None, i.months))
        }
        for i in accepted:
            i.mode, i.months = mode, (months or i.months) if mode == "AUTO" else i.months
        return {i.id for i in accepted} - unchanged_ids, unchanged_ids, refusals

    def quote(self, request: Request, now: dt.datetime) -> tuple[list[Line], dict[str, str], Payment]:
        """Return the lines, the refusals and the payment of a request, even if it would be refused."""
        units, refusals = self._units(request, now)
        lines_by_id = {i.id: self._line(i, request.wish, now) for unit in units for i in unit}
        lines = _lines(lines_by_id, keep(units, lines_by_id, refusals))
        return lines, refusals, self._pay(request.account, lines, self._usable(request.account, now))

    def place(self, request: Request, now: dt.datetime) -> Values:
        """Place an order (rules 16 to 19); return the instances in line order, and the refused ones."""
        if problem := malformed(request) or malformed_key(request.key):
            raise Refused("InvalidInput", problem)
        if stored_answer := self.answers.get((request.account, request.key)):
            if not stored_answer[0].same_as(request):
                raise Refused("IdempotencyKeyReused")
            return stored_answer[1]
        lines, refusals, payment = self.quote(request, now)
        if refusals and (request.batch == "ALL_OR_NOTHING" or not lines):
            raise Refused("NotRenewable", refusals)
        total = sum(line.price for line in lines)
        if request.expected not in (None, total):
            raise Refused("PriceChanged", request.expected, total)
        if payment.shortfall:
            raise Refused("InsufficientFunds", total, total - payment.shortfall)
        in_order = sorted((self.expiry(line.instance), line.instance.id) for line in lines)
        result = tuple(instance_id for _, instance_id in in_order), refusals
        kind = "MANUAL_RENEWAL" if request.wish[0] == "renew" else "UNIFY_EXPIRY"
        self._store(request.account, kind, lines, payment, now, request.key, refusals)
        self.answers[request.account, request.key] = request, result
        return result

    # Operator

    def refund(self, request: RefundRequest, now: dt.datetime) -> Values:
        """Refund an order's periods that have not begun, to the original payers; return the refusals."""
        if request.ids == ():
            raise Refused("InvalidInput", "input.instanceIds")
        if stored_answer := self.refund_answers.get(request.key):
            if stored_answer[0] != request:
                raise Refused("IdempotencyKeyReused")
            return stored_answer[1]
        if request.order >= len(self.paid):
            raise Refused("NotFound", "input.orderId")
        paid, used = self.paid[request.order]
        lines = {line.instance.id: line for line in paid}
        asked_ids = lines.keys() if request.ids is None else set(request.ids)
        codes_by_id = {
            instance_id: code
            for instance_id in asked_ids
            if (code := self._not_refundable(lines.get(instance_id), now))
        }
        refusals = dict(codes_by_id)
        for instance_id in asked_ids - codes_by_id.keys():
            members = {m.id for m in self._members(self.instances[instance_id])}
            if not members <= asked_ids or members & codes_by_id.keys():
                refusals[instance_id] = "BUNDLE"
        if not asked_ids - refusals.keys():
            raise Refused("NotRefundable", refusals)
        refunded = [line for instance_id, line in lines.items() if instance_id in asked_ids - refusals.keys()]
        self._give_back(self.orders[request.order][0], refunded, used, now)
        self.refund_answers[request.key] = request, (refusals,)
        return (refusals,)

    def _not_refundable(self, line: PaidLine | None, now: dt.datetime) -> str | None:
        if line is None:
            return "NO_LINE"
        if line.is_refunded:
            return "REFUNDED"
        if reference_rules.end_of(line.start, self._zone(line.instance)) < now:
            return "BEGUN"
        return None if line.end == line.instance.last_day else "RENEWED_SINCE"

    def _give_back(
        self, account: str, lines: Sequence[PaidLine], used: Sequence[uuid.UUID], now: dt.datetime
    ) -> None:
        """Return money to valid vouchers as they paid, and the rest to the balance, with a ledger entry for each."""
        to_balance, restored = 0, []
        to_vouchers: dict[uuid.UUID, int] = {}
        for line in lines:
            i = line.instance
            to_balance += line.price - sum(line.shares.values())
            for voucher_id, cents in line.shares.items():
                if self.vouchers[voucher_id].expires_at < now:
                    to_balance += cents
                else:
                    to_vouchers[voucher_id] = to_vouchers.get(voucher_id, 0) + cents
            restored.append(
                (reference_rules.end_of(line.start, self._zone(i)), i.id, line.refunds_before, line.price)
            )
            i.last_day, i.anchor, i.refunds = line.start, line.anchor_before, i.refunds + 1
            line.is_refunded = True
        for voucher_id in sorted(to_vouchers, key=used.index):
            self.vouchers[voucher_id].available += to_vouchers[voucher_id]
            left = self.vouchers[voucher_id].available
            self._enter(account, "REFUND", to_vouchers[voucher_id], left, voucher_id)
        if to_balance:
            self.accounts[account].balance += to_balance
            self._enter(account, "REFUND", to_balance, self.accounts[account].balance, None)
        by_voucher = sum(to_vouchers.values())
        totals = (to_balance + by_voucher, by_voucher, to_balance)
        self.refunds.append((account, *totals, now, sorted(restored), sorted(to_vouchers.items())))

    # Worker

    def run(self, now: dt.datetime) -> tuple[int, int, int]:
        """Run the automatic renewals (rules 20 to 22); return the numbers renewed and refused, and the cents."""
        before, cents = len(self.attempts), sum(order[3] for order in self.orders)
        for account_id, account in self.accounts.items():
            due = [i for i in self.instances.values() if i.account == account_id and self._is_due(i, now)]
            vouchers = self._usable(account_id, now)
            for unit in self._in_order(due):
                refusals: dict[str, str] = {}
                lines_by_id = {i.id: self._line(i, ("renew", i.months), now, i.period()[0]) for i in unit}
                lines = _lines(lines_by_id, keep([unit], lines_by_id, refusals))
                payment = self._pay(account_id, lines, vouchers)
                if payment.shortfall:
                    refusals, lines = dict.fromkeys(lines_by_id, "INSUFFICIENT_FUNDS"), []
                for i in unit:
                    due_at = reference_rules.due_at(i.period()[0], account.zone, account.lead_days)
                    self.attempts.append((i.id, due_at, now, refusals.get(i.id)))
                if lines:
                    self._store(account_id, "AUTO_RENEWAL", lines, payment, now, None, {})
        refused = sum(code is not None for *_, code in self.attempts[before:])
        cents = sum(order[3] for order in self.orders) - cents
        return len(self.attempts) - before - refused, refused, cents

    # Parts

    def expiry(self, i: Instance) -> dt.datetime | None:
        return reference_rules.end_of(i.last_day, self._zone(i)) if i.last_day else None

    def _zone(self, i: Instance) -> ZoneInfo:
        return self.accounts[i.account].zone

    def _status(self, i: Instance, now: dt.datetime) -> str:
        """Return the status at `now` (rules 5 and 22), stored or not. A bundle has its members' longest retention."""
        if i.status == "RELEASED" or not self._is_over(i, now):
            return i.status
        retention = max(PRODUCTS[member.product].retention_days for member in self._members(i))
        until = reference_rules.end_of(i.period()[0] + retention * reference_rules.DAY, self._zone(i))
        return "RELEASED" if until < now else "EXPIRED"

    def _is_over(self, i: Instance, now: dt.datetime) -> bool:
        expiry = self.expiry(i)
        return expiry is not None and now > expiry

    def _is_due(self, i: Instance, now: dt.datetime) -> bool:
        if i.mode != "AUTO" or i.status != "RUNNING" or not i.last_day or self._is_over(i, now):
            return False
        account = self.accounts[i.account]
        due_at = reference_rules.due_at(i.last_day, account.zone, account.lead_days)
        return account.auto_renew_from <= due_at <= now  # rules 20 and 38

    def _members(self, i: Instance) -> list[Instance]:
        """Return the instance's bundle, or the instance alone."""
        same = [m for m in self.instances.values() if m.bundle and m.bundle == i.bundle] or [i]
        return sorted(same, key=lambda m: m.id)

    def _in_order(self, instances: Iterable[Instance]) -> list[list[Instance]]:
        """Return the units of some instances without duplicates, sorted by expiry and then by id."""
        units = {tuple(m.id for m in self._members(i)): self._members(i) for i in instances}.values()
        never = dt.datetime.max.replace(tzinfo=dt.UTC)
        return sorted(units, key=lambda unit: min((self.expiry(i) or never, i.id) for i in unit))

    def _units(self, request: Request, now: dt.datetime) -> tuple[list[list[Instance]], dict[str, str]]:
        """Return the units of a selection and the refused instances (rule 10)."""
        if problem := malformed(request):
            raise Refused("InvalidInput", problem)
        ids, units, refusals = dict.fromkeys(request.ids), [], {}
        picked = [i for i in map(self.instances.get, ids) if i and i.account == request.account]
        refusals = dict.fromkeys(ids.keys() - {i.id for i in picked}, "NOT_FOUND")
        for i in picked:
            members = {m.id for m in self._members(i)}
            if not i.bundle or request.bundles == "WHOLE" or members == ids.keys():
                units.append(i)
            else:
                other = "BUNDLE_INCOMPLETE" if ids.keys() < members else "BUNDLED"
                refusals[i.id] = unserved(i, self._status(i, now)) or other
        return self._in_order(units), refusals

    def _line(
        self, i: Instance, wish: Values, now: dt.datetime, furthest_from: dt.date = dt.date.min
    ) -> Line | str:
        """Return the new period, or the refusal (rules 6, 7, 12, 13, 14)."""
        if code := unserved(i, self._status(i, now)):
            return code
        zone, product, (kind, wanted) = self._zone(i), PRODUCTS[i.product], wish
        last_day, old_anchor = i.period()
        if kind == "renew":
            new, anchor = reference_rules.step(old_anchor, last_day, wanted), old_anchor
        elif kind == "date":
            new, anchor = wanted, wanted.day
        else:
            new, anchor = (
                reference_rules.first_on(wanted, reference_rules.step(old_anchor, last_day, 1)),
                wanted,
            )
        if new <= last_day or reference_rules.end_of(new, zone) <= now:
            return "PERIOD_TOO_SHORT" if kind == "renew" else "TARGET_NOT_LATER"
        if new > reference_rules.furthest(now, zone, product.max_term_months, furthest_from):
            return "MAX_TERM_EXCEEDED"
        months = reference_rules.whole_months(old_anchor, last_day, new)
        begun_on = reference_rules.step(old_anchor, last_day, months)
        days, length = (
            (new - begun_on).days,
            (reference_rules.step(old_anchor, last_day, months + 1) - begun_on).days,
        )
        asked_price = reference_rules.list_price(i.price, months, days, length)
        cents = reference_rules.price(i.price, months, days, length, product.percent_off)
        return Line(i, new, anchor, months, days, asked_price, cents)

    def _usable(self, account: str, now: dt.datetime) -> list[Voucher]:
        """Return the vouchers in paying order (rule 15)."""
        vouchers = [v for v in self.vouchers.values() if v.account == account and v.expires_at >= now]
        return sorted(vouchers, key=lambda v: (v.expires_at, -v.available, str(v.id)))

    def _pay(self, account: str, lines: Sequence[Line], vouchers: Sequence[Voucher]) -> Payment:
        """Return the payment (rules 15 and 16) without subtracting it."""
        left = {v.id: v.available for v in vouchers}
        from_balance, shares = 0, []
        for line in lines:
            rest = line.price
            share: dict[uuid.UUID, int] = {}
            for v in vouchers:
                if not v.products or line.instance.product in v.products:
                    share_cents = min(rest, left[v.id])
                    left[v.id], rest = left[v.id] - share_cents, rest - share_cents
                    share |= {v.id: share_cents} if share_cents else {}
            from_balance += rest
            shares.append(share)
        uses = {v.id: v.available - left[v.id] for v in vouchers if left[v.id] < v.available}
        balance = self.accounts[account].balance
        return Payment(uses, min(from_balance, balance), max(0, from_balance - balance), shares)

    def _store(
        self,
        account: str,
        kind: str,
        lines: Sequence[Line],
        payment: Payment,
        now: dt.datetime,
        key: str | None,
        refusals: dict[str, str],
    ) -> None:
        stored, paid = [], []
        for line, share in zip(lines, payment.shares, strict=True):
            i, start = line.instance, self.expiry(line.instance)
            last_day, anchor = i.period()
            paid.append(PaidLine(i, last_day, line.last_day, anchor, i.refunds, line.price, share))
            i.last_day, i.anchor, i.status = line.last_day, line.anchor, "RUNNING"
            line_values = self.expiry(i), line.months, line.days, line.list_price, line.price
            stored.append((start, i.id, i.refunds, paid[-1].anchor_before, *line_values))
        self.paid.append((paid, list(payment.uses)))
        for voucher_id, cents in payment.uses.items():
            self.vouchers[voucher_id].available -= cents
            self._enter(account, "RENEWAL", -cents, self.vouchers[voucher_id].available, voucher_id)
        if payment.balance:
            self.accounts[account].balance -= payment.balance
            self._enter(account, "RENEWAL", -payment.balance, self.accounts[account].balance, None)
        by_voucher = sum(payment.uses.values())
        total = by_voucher + payment.balance
        self.orders.append(
            (account, kind, key, total, by_voucher, payment.balance, now, refusals, sorted(stored))
        )

    def _enter(self, account: str, kind: str, *amounts: object) -> None:
        self.accounts[account].entries.append((kind, *amounts))


def _lines(lines_by_id: Mapping[str, Line | str], instances: Iterable[Instance]) -> list[Line]:
    """Return the lines of instances that are not refused."""
    return [line for i in instances if isinstance(line := lines_by_id[i.id], Line)]
