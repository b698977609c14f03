"""Payments, taken from vouchers in a fixed order and then from the balance, in full or not at all (rules 15, 16)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple, Self

from renewals.domain import model


class Charge(NamedTuple):
    """An amount to pay, in cents, for an instance of a product."""

    product_code: str
    cents: int


class VoucherRedemption(NamedTuple):
    """The cents taken from a voucher, or returned to it by a refund, and the amount left on the voucher afterwards."""

    voucher_id: str
    amount_cents: int
    available_after_cents: int


class Payment(NamedTuple):
    """The split of a total between vouchers and balance, in cents; if there is a shortfall, no money was taken."""

    uses: tuple[VoucherRedemption, ...]
    voucher_cents: int
    balance_cents: int
    balance_after_cents: int
    shortfall_cents: int


def sort_for_redemption(vouchers: Iterable[model.Voucher], now: dt.datetime) -> list[model.Voucher]:
    """Return the vouchers usable at `now`, sorted by expiry, then largest available amount, then id (rule 15)."""
    valid = [v for v in vouchers if v.available_cents > 0 and v.expires_at >= now]
    return sorted(valid, key=lambda v: (v.expires_at, -v.available_cents, v.id))


class Wallet:
    """The balance and the vouchers of an account; the order in which the vouchers are used is fixed at the start."""

    def __init__(self, balance_cents: int, vouchers: Iterable[model.Voucher], now: dt.datetime) -> None:
        self._fill(balance_cents, sort_for_redemption(vouchers, now))

    @classmethod
    def in_order(cls, balance_cents: int, vouchers: Iterable[model.Voucher]) -> Self:
        """Return a wallet that uses the vouchers in the given order, even if they have expired."""
        wallet = cls.__new__(cls)
        wallet._fill(balance_cents, list(vouchers))
        return wallet

    def _fill(self, balance_cents: int, vouchers: list[model.Voucher]) -> None:
        self.balance_cents = balance_cents
        self._vouchers = vouchers
        self._available = [v.available_cents for v in vouchers]
        self._usable: dict[str, list[int]] = {}

    def pay(self, charges: Sequence[Charge]) -> Payment:
        """Take the sum of the charges and return the payment; if there is a shortfall, take no money."""
        redeemed: dict[int, int] = {}
        balance_cents = 0
        for charge in charges:
            balance_cents += self._redeem(charge, redeemed)
        shortfall_cents = max(0, balance_cents - self.balance_cents)
        uses = tuple(
            [
                VoucherRedemption(self._vouchers[index].id, amount, self._available[index])
                for index, amount in sorted(redeemed.items())
            ]
        )
        if shortfall_cents:
            for index, amount in redeemed.items():
                self._available[index] += amount
            if redeemed:
                self._usable.clear()
            return Payment(uses, sum(redeemed.values()), self.balance_cents, 0, shortfall_cents)
        self.balance_cents -= balance_cents
        return Payment(uses, sum(redeemed.values()), balance_cents, self.balance_cents, 0)

    def remaining_vouchers(self) -> list[model.Voucher]:
        """Return the vouchers of the wallet with their remaining amounts, including those that are now empty."""
        return [
            voucher._replace(available_cents=cents)
            for voucher, cents in zip(self._vouchers, self._available, strict=True)
        ]

    def _redeem(self, charge: Charge, redeemed: dict[int, int]) -> int:
        """Pay a charge from vouchers as far as possible, add the amounts to `redeemed`, and return the unpaid cents."""
        rest = charge.cents
        for index in reversed(self._usable_by(charge.product_code)):
            if not rest:
                break
            amount = min(rest, self._available[index])
            if amount:
                self._available[index] -= amount
                redeemed[index] = redeemed.get(index, 0) + amount
                rest -= amount
        return rest

    def _usable_by(self, product_code: str) -> list[int]:
        """Return the indexes of the vouchers for a product, in reverse order of use; the last one is not empty."""
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
    charges: Sequence[Charge], redeemed: Iterable[model.Voucher], balance_cents: int
) -> list[Payment]:
    """Return the payment of each charge of an order.

    `redeemed` holds the order's vouchers, in the order of redemption, with the amounts that the order took from them.
    Each charge takes the same amounts as originally, because no charge used an amount that the order left on a voucher.
    """
    wallet = Wallet.in_order(balance_cents, redeemed)
    payments = [wallet.pay([charge]) for charge in charges]
    is_spent = not wallet.balance_cents and not any(
        voucher.available_cents for voucher in wallet.remaining_vouchers()
    )
    assert is_spent and not any(payment.shortfall_cents for payment in payments)
    return payments
