"""A forecast as a picture. It needs matplotlib, which is an extra, and no display."""

from pathlib import Path

from matplotlib import dates, font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from graphql_api.cli.forecast_table import WORDS, Word, advice, title
from graphql_api.cli.languages import Language
from renewals.forecasts import forecast

SIZE_INCHES, DPI = (11, 6), 120
DATES_MAX = 12
BALANCE, VOUCHERS, LACKING, QUIET = "#1f6f5c", "#8cc5b2", "#c8372d", "#5f6b68"
CHINESE_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "PingFang SC", "Heiti SC"),
    *("Microsoft YaHei", "SimHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei"),
)
"""Those that Linux, macOS and Windows bring; the first that is there is taken."""


def speaks(language: Language) -> bool:
    """Whether there is a font for the language."""
    return language is Language.EN or bool(_fonts()[1:])


def draw(account_id: str, found: forecast.Forecast, language: Language, path: Path) -> None:
    """Writes a PNG: above, the balance after each day and what lacks; below, what is due and what pays it."""
    with rc_context({"font.family": _fonts(), "axes.unicode_minus": False}):
        picture = Figure(figsize=SIZE_INCHES, layout="constrained")
        above, below = picture.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _draw_balance(above, found, language)
        _draw_due(below, found, language)
        for panel in (above, below):
            panel.axhline(0, color="black", linewidth=0.8, zorder=3)
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
            panel.grid(axis="y", color="#e3e8e6", linewidth=0.8)
            panel.set_axisbelow(True)
            panel.tick_params(colors=QUIET, labelsize=9, length=0)
            panel.spines[["top", "right", "left", "bottom"]].set_visible(False)
            panel.legend(frameon=False, fontsize=9, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
        days = [dates.date2num(day.date) for day in found.days]
        below.set_xlim(days[0] - 0.5, days[-1] + 0.5)
        below.set_xticks(days[:: -(-len(days) // DATES_MAX)])
        below.xaxis.set_major_formatter(dates.DateFormatter("%d %b" if language is Language.EN else "%m-%d"))
        colour = LACKING if found.required_top_up_cents else BALANCE
        picture.suptitle(title(account_id, found, language), fontsize=15)
        above.set_title(" ".join(advice(found, language)), fontsize=11, color=colour, pad=28)
        picture.savefig(path, format="png", dpi=DPI, metadata={"Software": None})


def _draw_balance(panel: Axes, found: forecast.Forecast, language: Language) -> None:
    words = WORDS[language]
    days = [dates.date2num(day.date) for day in found.days]
    first = found.days[0]
    edges = [*(day - 0.5 for day in days), days[-1] + 0.5]
    before = first.balance_after_cents + first.balance_cents
    after = [before, *(day.balance_after_cents for day in found.days)]
    amounts = [cents / 100 for cents in after]
    panel.fill_between(edges, amounts, step="pre", color=BALANCE, alpha=0.1, linewidth=0)
    panel.step(edges, amounts, where="pre", color=BALANCE, linewidth=1.8, label=words[Word.BALANCE_AFTER])
    if any(day.shortfall_cents for day in found.days):
        lacking = [-day.shortfall_cents / 100 for day in found.days]
        panel.bar(days, lacking, width=0.8, color=LACKING, label=words[Word.SHORTFALL])


def _draw_due(panel: Axes, found: forecast.Forecast, language: Language) -> None:
    words = WORDS[language]
    days = [dates.date2num(day.date) for day in found.days]
    below = [0.0] * len(days)
    unpaid = [day.total_cents - day.voucher_cents - day.balance_cents for day in found.days]
    parts = (
        (Word.VOUCHERS, [day.voucher_cents for day in found.days], VOUCHERS),
        (Word.BALANCE, [day.balance_cents for day in found.days], BALANCE),
        (Word.UNPAID, unpaid, LACKING),
    )
    for word, cents, colour in parts:
        if any(cents) or word is not Word.UNPAID:
            heights = [each / 100 for each in cents]
            panel.bar(days, heights, bottom=below, width=0.8, color=colour, label=words[word])
            below = [low + height for low, height in zip(below, heights, strict=True)]
    panel.set_ylabel(words[Word.DUE_EACH_DAY], color=QUIET, fontsize=9)


def _fonts() -> list[str]:
    """The usual font and, where there is one, a font with Chinese characters."""
    known = set(font_manager.get_font_names())
    return ["DejaVu Sans", *[name for name in CHINESE_FONTS if name in known][:1]]
