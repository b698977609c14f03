"""The forecasts of all accounts for the command line: one line per account, then the sums of each currency.

The columns have fixed widths, because lines are printed before all accounts are read.
"""

import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence

import orjson

from graphql_api.cli import text_table
from renewals.domain import money
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.model import Language
from renewals.forecasts.all_accounts import AccountNights, Totals
from renewals.i18n.catalogs import translate

_HEADER = (
    Message("first due"),
    Message("due"),
    Message("at risk"),
    Message("left"),
    Message("total"),
    Message("vouchers"),
    Message("balance"),
    Message("top-up"),
    Message("account"),
)
_TOTAL = Message("total")
_NOTHING = Message("No instance is due for renewal.")
_WIDTHS = (10, 7, 7, 7, 14, 14, 14, 14)
"""The width in characters of each column except the last one, the account, whose length varies."""


async def print_table(
    accounts: AsyncIterator[AccountNights],
    days: int,
    now: dt.datetime,
    language: Language,
    echo: Callable[[str], object],
) -> None:
    """Print a heading, a line for each of `accounts`, and the sums of each currency.

    If there are no accounts, print that no instance is due for renewal.
    """
    title = CountedMessage(
        "all accounts: {count} day from {at}",
        "all accounts: {count} days from {at}",
        count=days,
        at=now.isoformat(timespec="seconds"),
    )
    echo(translate(title, language))
    echo("")
    echo(_format_line([translate(label, language) for label in _HEADER]))
    totals: dict[str, Totals] = {}
    async for account in accounts:
        totals.setdefault(account.currency, Totals()).add(account)
        echo(_format_row(str(account.first_due_on or ""), account, account.account_id))
    for currency, total in sorted(totals.items()):
        count = CountedMessage(
            "{currency}, {count} account",
            "{currency}, {count:,} accounts",
            currency=currency,
            count=total.account_count,
        )
        echo(_format_row(translate(_TOTAL, language), total, translate(count, language)))
    if not totals:
        echo(translate(_NOTHING, language))


async def print_json(accounts: AsyncIterator[AccountNights], echo: Callable[[str], object]) -> None:
    """Print one JSON object per line: one for each account, then one with the sums of each currency."""
    totals: dict[str, Totals] = {}
    async for account in accounts:
        totals.setdefault(account.currency, Totals()).add(account)
        identity = {
            "account": account.account_id,
            "currency": account.currency,
            "autoRenewFrom": account.auto_renew_from.isoformat(),
            "firstDueOn": account.first_due_on and account.first_due_on.isoformat(),
        }
        echo(orjson.dumps(identity | _as_dict(account)).decode())
    sums = [
        {"currency": currency, "accountCount": total.account_count, **_as_dict(total)}
        for currency, total in sorted(totals.items())
    ]
    echo(orjson.dumps({"totals": sums}).decode())


def _format_row(first: str, sums: AccountNights | Totals, last: str) -> str:
    counts = (sums.due_count, sums.at_risk_count, sums.left_count)
    amounts = (sums.total_cents, sums.voucher_cents, sums.balance_cents, sums.required_top_up_cents)
    return _format_line(
        [first, *(str(count or "") for count in counts), *map(money.format_cents, amounts), last]
    )


def _format_line(cells: Sequence[str]) -> str:
    columns = [text_table.pad_left(cell, width) for cell, width in zip(cells[:-1], _WIDTHS, strict=True)]
    return "  ".join([*columns, cells[-1]])


def _as_dict(sums: AccountNights | Totals) -> dict[str, object]:
    return {
        "dueCount": sums.due_count,
        "atRiskCount": sums.at_risk_count,
        "leftCount": sums.left_count,
        "total": money.format_cents(sums.total_cents),
        "voucherTotal": money.format_cents(sums.voucher_cents),
        "balanceTotal": money.format_cents(sums.balance_cents),
        "topUpNeeded": money.format_cents(sums.required_top_up_cents),
    }
