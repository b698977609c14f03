"""An account's forecast as text: a table of the days with something due, in English or Chinese."""

from collections.abc import Sequence

from graphql_api.cli import text_table
from renewals.domain import money
from renewals.forecasts import simulation
from renewals.i18n import Label, Language

_TITLE = Label("{account}：{date} 起 {days} 天", "{account}: {days} days from {date}")
_HEADER = (
    Label("日期", "date"),
    Label("待续费", "due"),
    Label("总价", "total"),
    Label("代金券", "vouchers"),
    Label("余额", "balance"),
    Label("支付后余额", "balance after"),
    Label("缺口", "shortfall"),
    Label("有风险", "at risk"),
)
_ALL_DAYS = Label("合计", "all days")
_ENOUGH = Label("现有资金足够。", "The money on hand is enough.")
_FIRST_SHORTFALL = Label("首个资金不足日：{date}。", "The first day with a shortfall is {date}.")
_TOP_UP = Label("今天充值 {amount}，即可全部续费。", "Add {amount} today to pay for every renewal.")


def format_forecast(account_id: str, result: simulation.Forecast, language: Language) -> str:
    """Return the days with something due, their sums, and the top-up needed."""
    days = [day for day in result.days if day.due_count]
    header = [label.in_language(language) for label in _HEADER]
    rows = [*map(_format_day, days), [_ALL_DAYS.in_language(language), *_format_sums(days)]]
    title = _TITLE.in_language(language).format(
        account=account_id, days=len(result.days), date=result.days[0].date
    )
    table = text_table.format_table(header, rows, frozenset({0}))
    return "\n".join([title, "", table, "", *_format_advice(result, language)])


def _format_advice(result: simulation.Forecast, language: Language) -> list[str]:
    """Return the first day with a shortfall and the top-up needed, or that the money is enough."""
    if not result.required_top_up_cents:
        return [_ENOUGH.in_language(language)]
    amount = money.format_cents(result.required_top_up_cents)
    return [
        _FIRST_SHORTFALL.in_language(language).format(date=result.first_shortfall_on),
        _TOP_UP.in_language(language).format(amount=amount),
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
    """Return the sums of the columns after the date; shortfalls repeat from day to day and have no sum."""
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
