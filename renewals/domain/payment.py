"""Paying: vouchers first, in an order fixed once, then the balance; wholly or not at all (rules 15, 16)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from renewals.domain import model


class Charge(NamedTuple):
    """An amount in cents for an instance of a product."""

    product_code: str
    cents: int


class VoucherRedemption(NamedTuple):
    """So much of a voucher, and what is left of it."""

    voucher_id: str
    amount_cents: int
    available_after_cents: int


class Payment(NamedTuple):
    """How a total is paid, in cents. With a shortfall it is a picture only: nothing was taken."""

    uses: tuple[VoucherRedemption, ...]
    voucher_cents: int
    balance_cents: int
    balance_after_cents: int
    shortfall_cents: int


def sort_for_redemption(vouchers: Iterable[model.Voucher], now: dt.datetime) -> list[model.Voucher]:
    """The vouchers that count at `now`: soonest expiry, then largest available amount, then id (rule 15)."""
    valid = [v for v in vouchers if v.available_cents > 0 and v.expires_at >= now]
    return sorted(valid, key=lambda v: (v.expires_at, -v.available_cents, v.id))


class Wallet:
    """What one account pays with: its valid vouchers in the order fixed at the start, and its balance."""

    def __init__(self, balance_cents: int, vouchers: Iterable[model.Voucher], now: dt.datetime) -> None:
        self._fill(balance_cents, sort_for_redemption(vouchers, now))

    @classmethod
    def in_order(cls, balance_cents: int, vouchers: Iterable[model.Voucher]) -> Self:
        """A wallet whose vouchers pay in the order in which they are given, whenever they run out."""
        wallet = cls.__new__(cls)
        wallet._fill(balance_cents, list(vouchers))
        return wallet

    def _fill(self, balance_cents: int, vouchers: list[model.Voucher]) -> None:
        self.balance_cents = balance_cents
        self._vouchers = vouchers
        self._available = [v.available_cents for v in vouchers]
        self._usable: dict[str, list[int]] = {}

    def pay(self, charges: Sequence[Charge]) -> Payment:
        """Takes the sum of the charges, or nothing when the payment shows a shortfall."""
        taken: dict[int, int] = {}
        balance_cents = 0
        for charge in charges:
            balance_cents += self._take_vouchers(charge, taken)
        shortfall_cents = max(0, balance_cents - self.balance_cents)
        uses = tuple(
            [
                VoucherRedemption(self._vouchers[index].id, amount, self._available[index])
                for index, amount in sorted(taken.items())
            ]
        )
        if shortfall_cents:
            for index, amount in taken.items():
                self._available[index] += amount
            if taken:
                self._usable.clear()
            return Payment(uses, sum(taken.values()), self.balance_cents, 0, shortfall_cents)
        self.balance_cents -= balance_cents
        return Payment(uses, sum(taken.values()), balance_cents, self.balance_cents, 0)

    def remaining_vouchers(self) -> list[model.Voucher]:
        """The vouchers with what is left of them."""
        return [
            voucher._replace(available_cents=cents)
            for voucher, cents in zip(self._vouchers, self._available, strict=True)
        ]

    def _take_vouchers(self, charge: Charge, taken: dict[int, int]) -> int:
        """Takes the charge from vouchers into `taken` and answers what they leave to the balance."""
        rest = charge.cents
        for index in reversed(self._usable_by(charge.product_code)):
            if not rest:
                break
            amount = min(rest, self._available[index])
            if amount:
                self._available[index] -= amount
                taken[index] = taken.get(index, 0) + amount
                rest -= amount
        return rest

    def _usable_by(self, product_code: str) -> list[int]:
        """The vouchers that may pay for the product, the first in paying order last, not an empty one."""
        usable = self._usable.get(product_code)
        if usable is None:
            usable = self._usable[product_code] = [
                index
                for index, voucher in reversed(list(enumerate(self._vouchers)))
                if not voucher.product_codes or product_code in voucher.product_codes
            ]
        while usable and not self._available[usable[-1]]:
            usable.pop()
        return usable


def reconstruct_payments(
    charges: Sequence[Charge], taken: Iterable[model.Voucher], balance_cents: int
) -> list[Payment]:
    """How each charge of an order was paid, where its vouchers, in paying order, have what it took of each.

    Each takes the same as it did then: what a voucher had left in the end, no charge of the order had wanted.
    """
    wallet = Wallet.in_order(balance_cents, taken)
    payments = [wallet.pay([charge]) for charge in charges]
    is_whole = not wallet.balance_cents and not any(
        voucher.available_cents for voucher in wallet.remaining_vouchers()
    )
    assert is_whole and not any(payment.shortfall_cents for payment in payments)
    return payments
