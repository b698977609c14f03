"""An account's forecast as text: a table of the days with due instances, in English or Chinese."""

from collections.abc import Sequence

from graphql_api.cli import text_table
from renewals.domain import money
from renewals.domain.messages import CountedMessage, Message
from renewals.domain.model import Language
from renewals.forecasts import simulation
from renewals.i18n import catalogs

_HEADER = (
    Message("date"),
    Message("due"),
    Message("total"),
    Message("vouchers"),
    Message("balance"),
    Message("balance after"),
    Message("shortfall"),
    Message("at risk"),
)
_ALL_DAYS = Message("all days")
_ENOUGH = Message("Vouchers and balance cover all renewals.")
_FIRST_SHORTFALL = Message("The first day with a shortfall is {date}.")
_TOP_UP = Message("Add {amount} today to pay for every renewal.")


def format_forecast(account_id: str, result: simulation.Forecast, language: Language) -> str:
    """Return the forecast as text: the days with due instances, their sums, and the top-up needed."""
    days = [day for day in result.days if day.due_count]
    header = [catalogs.translate(label, language) for label in _HEADER]
    rows = [*map(_format_day, days), [catalogs.translate(_ALL_DAYS, language), *_format_sums(days)]]
    title = CountedMessage(
        "{account}: {count} day from {date}",
        "{account}: {count} days from {date}",
        account=account_id,
        count=len(result.days),
        date=result.days[0].date,
    )
    table = text_table.format_table(header, rows, frozenset({0}))
    return "\n".join([catalogs.translate(title, language), "", table, "", *_format_advice(result, language)])


def _format_advice(result: simulation.Forecast, language: Language) -> list[str]:
    """Return lines with the first day of a shortfall and the top-up needed, or say that the money is enough."""
    if not result.required_top_up_cents:
        return [catalogs.translate(_ENOUGH, language)]
    assert result.first_shortfall_on is not None
    return [
        catalogs.translate(_FIRST_SHORTFALL.fill(date=result.first_shortfall_on), language),
        catalogs.translate(_TOP_UP.fill(amount=money.Cents(result.required_top_up_cents)), language),
    ]


def _format_day(day: simulation.Day) -> list[str]:
    amounts = (day.total_cents, day.voucher_cents, day.balance_cents, day.balance_after_cents)
    return [
        day.date.isoformat(),
        str(day.due_count),
        *map(money.format_cents, amounts),
        money.format_cents(day.shortfall_cents) if day.shortfall_cents else "",
        str(len(day.at_risk_ids) or ""),
    ]


def _format_sums(days: Sequence[simulation.Day]) -> list[str]:
    """Return the sums for the columns after the date. The balance after a day and the shortfall have no sums.

    The shortfall of a day is the amount that is missing after all remaining money is spent on that day. A sum of
    shortfalls would therefore count the same money several times.
    """
    sums = [
        sum(day.total_cents for day in days),
        sum(day.voucher_cents for day in days),
        sum(day.balance_cents for day in days),
    ]
    at_risk_count = sum(len(day.at_risk_ids) for day in days)
    return [
        str(sum(day.due_count for day in days)),
        *map(money.format_cents, sums),
        "",
        "",
        str(at_risk_count or ""),
    ]
