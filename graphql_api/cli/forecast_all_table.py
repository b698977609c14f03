"""The coming nights of all accounts for the command line: a line for each as it is read, then the sums."""

import datetime as dt
from collections.abc import AsyncIterator, Callable

import orjson

from renewals.domain import money
from renewals.forecasts.all_accounts import AccountNights, Totals

_HEAD = ("first due", "due", "at risk", "left", "total", "vouchers", "balance", "add", "account")
_WIDTHS = (10, 7, 7, 7, 14, 14, 14, 14)
"""Fixed, because a line is printed before the next one is known; the account stands last, for it may be long."""


async def print_table(
    nights: AsyncIterator[AccountNights], days: int, now: dt.datetime, echo: Callable[[str], object]
) -> None:
    """Print the accounts of which something is due or left, and their sums by currency."""
    echo(f"all accounts: {days} days from {now.isoformat(timespec='seconds')}, today first")
    echo("")
    echo(_line(_HEAD))
    totals: dict[str, Totals] = {}
    async for each in nights:
        totals.setdefault(each.currency, Totals()).add(each)
        echo(_row(str(each.first_due_on or ""), each, each.account_id))
    for currency, sums in sorted(totals.items()):
        accounts = "1 account" if sums.account_count == 1 else f"{sums.account_count:,} accounts"
        echo(_row("total", sums, f"{currency}, {accounts}"))
    if not totals:
        echo("Nothing is due, and nothing is left to its owner.")


async def print_json(nights: AsyncIterator[AccountNights], echo: Callable[[str], object]) -> None:
    """Print the same as JSON Lines: an object for each account, then one with the sums."""
    totals: dict[str, Totals] = {}
    async for each in nights:
        totals.setdefault(each.currency, Totals()).add(each)
        about = {
            "account": each.account_id,
            "currency": each.currency,
            "autoRenewFrom": each.auto_renew_from.isoformat(),
            "firstDueOn": each.first_due_on and each.first_due_on.isoformat(),
        }
        echo(orjson.dumps(about | _sums(each)).decode())
    found = [
        {"currency": currency, "accountCount": sums.account_count, **_sums(sums)}
        for currency, sums in sorted(totals.items())
    ]
    echo(orjson.dumps({"totals": found}).decode())


def _row(first: str, sums: AccountNights | Totals, last: str) -> str:
    counts = (sums.due_count, sums.at_risk_count, sums.left_count)
    amounts = (sums.total_cents, sums.voucher_cents, sums.balance_cents, sums.required_top_up_cents)
    return _line((first, *(str(count or "") for count in counts), *map(money.format_cents, amounts), last))


def _line(cells: tuple[str, ...]) -> str:
    first, *numbers = [f"{cell:>{width}}" for cell, width in zip(cells[:-1], _WIDTHS, strict=True)]
    return "  ".join([first, *numbers, cells[-1]])


def _sums(sums: AccountNights | Totals) -> dict[str, object]:
    return {
        "dueCount": sums.due_count,
        "atRiskCount": sums.at_risk_count,
        "leftCount": sums.left_count,
        "total": money.format_cents(sums.total_cents),
        "voucherTotal": money.format_cents(sums.voucher_cents),
        "balanceTotal": money.format_cents(sums.balance_cents),
        "topUpNeeded": money.format_cents(sums.required_top_up_cents),
    }
