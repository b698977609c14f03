"""A forecast in words: a table of the days on which something is due, in English or Chinese."""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum

from graphql_api.cli.languages import Language
from renewals.domain import money
from renewals.forecasts import forecast


class Word(StrEnum):
    """What is said of a forecast, in a table or a picture."""

    TITLE = "TITLE"
    DATE = "DATE"
    DUE = "DUE"
    TOTAL = "TOTAL"
    VOUCHERS = "VOUCHERS"
    BALANCE = "BALANCE"
    BALANCE_AFTER = "BALANCE_AFTER"
    SHORTFALL = "SHORTFALL"
    AT_RISK = "AT_RISK"
    ALL_DAYS = "ALL_DAYS"
    ADD = "ADD"
    ENOUGH = "ENOUGH"
    FIRST_SHORTFALL = "FIRST_SHORTFALL"
    DUE_EACH_DAY = "DUE_EACH_DAY"
    UNPAID = "UNPAID"


WORDS: Mapping[Language, Mapping[Word, str]] = {
    Language.EN: {
        Word.TITLE: "{account}: {days} days from {date}",
        Word.DATE: "date",
        Word.DUE: "due",
        Word.TOTAL: "total",
        Word.VOUCHERS: "vouchers",
        Word.BALANCE: "balance",
        Word.BALANCE_AFTER: "balance after",
        Word.SHORTFALL: "shortfall",
        Word.AT_RISK: "at risk",
        Word.ALL_DAYS: "all days",
        Word.ADD: "Add {amount} today, and nothing falls short.",
        Word.ENOUGH: "The money on hand is enough.",
        Word.FIRST_SHORTFALL: "The first day that falls short is {date}.",
        Word.DUE_EACH_DAY: "due each day",
        Word.UNPAID: "unpaid",
    },
    Language.ZH: {
        Word.TITLE: "{account}：{date} 起 {days} 天",
        Word.DATE: "日期",
        Word.DUE: "待续费",
        Word.TOTAL: "总价",
        Word.VOUCHERS: "代金券",
        Word.BALANCE: "余额",
        Word.BALANCE_AFTER: "支付后余额",
        Word.SHORTFALL: "缺口",
        Word.AT_RISK: "有风险",
        Word.ALL_DAYS: "合计",
        Word.ADD: "今天充值 {amount}，即可全部续费。",
        Word.ENOUGH: "现有资金足够。",
        Word.FIRST_SHORTFALL: "首个资金不足日：{date}。",
        Word.DUE_EACH_DAY: "每日待续费",
        Word.UNPAID: "无法支付",
    },
}

_HEAD = (
    *(Word.DATE, Word.DUE, Word.TOTAL, Word.VOUCHERS, Word.BALANCE),
    *(Word.BALANCE_AFTER, Word.SHORTFALL, Word.AT_RISK),
)
_GAP = "  "


def table(account_id: str, found: forecast.Forecast, language: Language) -> str:
    """The days on which something is due, their sums, and what must be added."""
    words = WORDS[language]
    busy = [day for day in found.days if day.due_count]
    rows = [[words[word] for word in _HEAD], *map(_row, busy), _sums(busy, words)]
    return "\n".join(
        [
            title(account_id, found, language),
            "",
            *align(rows, [True] + [False] * 7),
            "",
            *advice(found, language),
        ]
    )


def title(account_id: str, found: forecast.Forecast, language: Language) -> str:
    """Whose forecast it is, of how many days and from which."""
    return WORDS[language][Word.TITLE].format(
        account=account_id, days=len(found.days), date=found.days[0].date
    )


def advice(found: forecast.Forecast, language: Language) -> list[str]:
    """What must be added today and which day is short first, or that there is enough."""
    words = WORDS[language]
    if not found.required_top_up_cents:
        return [words[Word.ENOUGH]]
    return [
        words[Word.FIRST_SHORTFALL].format(date=found.first_shortfall_on),
        words[Word.ADD].format(amount=money.format_cents(found.required_top_up_cents)),
    ]


def _row(day: forecast.Day) -> list[str]:
    paid = (day.total_cents, day.voucher_cents, day.balance_cents, day.balance_after_cents)
    return [
        day.date.isoformat(),
        str(day.due_count),
        *map(money.format_cents, paid),
        money.format_cents(day.shortfall_cents) if day.shortfall_cents else "",
        str(len(day.at_risk_ids) or ""),
    ]


def _sums(days: Sequence[forecast.Day], words: Mapping[Word, str]) -> list[str]:
    """Shortfalls are not added: what lacks on one morning is not there on the next one either."""
    sums = [
        sum(day.total_cents for day in days),
        sum(day.voucher_cents for day in days),
        sum(day.balance_cents for day in days),
    ]
    due_count, at_risk_count = sum(day.due_count for day in days), sum(len(day.at_risk_ids) for day in days)
    return [
        words[Word.ALL_DAYS],
        str(due_count),
        *map(money.format_cents, sums),
        "",
        "",
        str(at_risk_count or ""),
    ]


def align(rows: Sequence[Sequence[str]], is_text: Sequence[bool]) -> list[str]:
    """Return a line per row, its columns as wide as their widest cell: texts to the left, numbers to the right."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for cell, width, is_left in zip(row, widths, is_text, strict=True):
            gap = " " * (width - _width(cell))
            cells.append(cell + gap if is_left else gap + cell)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """How many places of a terminal it takes: two for a Chinese character."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
