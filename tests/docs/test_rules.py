"""Every cited rule exists in docs/rules.md, and the worked examples of that page are correct."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from renewals.auto_renewal import due
from renewals.domain import dates, limits, model, money, pricing
from tests.renewals.factories import instance

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rules.md"
TEXT = PAGE.read_text(encoding="utf-8")
FOLDERS = (
    *("renewals", "schema", "graphql_api", "workers", "tests", "benchmarks", "docs", "examples", "deploy"),
)
SUFFIXES = frozenset({".py", ".md", ".sql", ".graphql", ".ts", ".yml", ".yaml", ".toml", ".csv"})
CITATION = re.compile(r"\brules? (\d+(?:(?:, | to | and |, and )\d+)*)(?!\d|[.,]\d)", re.IGNORECASE)
STANDING = frozenset(int(number) for number in re.findall(r"^### Rule (\d+): ", TEXT, re.MULTILINE))
PLANNED = range(28, 36)
HALF_PAST_MIDNIGHT = dt.time(0, 30)


def cited(text: str) -> Iterator[int]:
    """Yield the numbers of all rules that a text cites, including all numbers of a range."""
    # A citation may continue on the next line, after a comment mark.
    for citation in CITATION.findall(re.sub(r"\s+(?:#|--|//)?\s*", " ", text)):
        numbers = [int(number) for number in re.findall(r"\d+", citation)]
        yield from numbers
        for word, (first, last) in zip(re.findall(r"[a-z]+|,", citation), pairwise(numbers), strict=True):
            if word == "to":
                yield from range(first, last + 1)


def sources() -> Iterator[Path]:
    """Yield the files that may cite a rule."""
    yield from ROOT.glob("*.md")
    yield from ROOT.glob("*.graphql")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in SUFFIXES and "node_modules" not in path.parts and path != Path(__file__):
                yield path


def test_the_page_has_the_rules_1_to_27_and_36_to_38() -> None:
    assert frozenset({*range(1, 28), 36, 37, 38}) == STANDING


def test_every_cited_rule_is_on_the_page() -> None:
    paths_by_number: dict[int, list[str]] = {}
    count = 0
    for path in sources():
        text = path.read_text(encoding="utf-8").split("## Not built yet")[0]
        for number in cited(text):
            count += 1
            paths_by_number.setdefault(number, []).append(str(path.relative_to(ROOT)))
    assert {number: paths for number, paths in paths_by_number.items() if number not in STANDING} == {}
    assert count > 200, "citations are found"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("(rule 39)", {39}),
        ("Rules 5 to 7, 14 and 20.", {5, 6, 7, 14, 20}),
        ("rules 1 and\n# 99 of", {1, 99}),
        ("24 integrity rules; rule 20's time", {20}),
        ("(rules 15, 16)", {15, 16}),
    ],
)
def test_a_citation_is_parsed_with_its_lists_and_ranges(text: str, numbers: set[int]) -> None:
    assert set(cited(text)) == numbers


def test_planned_rules_are_listed_separately() -> None:
    planned = re.findall(r"\((\d[^)]*)\)", TEXT.split("## Not built yet")[1])
    numbers = {number for citation in planned for number in cited(f"rules {citation}")}
    assert numbers == set(PLANNED)
    assert STANDING.isdisjoint(PLANNED)


def table(number: int) -> list[Mapping[str, str]]:
    """Return the rows of a rule's table, each as a mapping by the headings of the columns."""
    [section] = re.findall(rf"^### Rule {number}: .*?(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    head, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line[:1] == "|"
    ]
    assert rows
    return [dict(zip(head, row, strict=True)) for row in rows]


day = dt.date.fromisoformat


def test_an_instance_expires_at_the_end_of_its_last_day() -> None:
    for row in table(5):
        expires_at = dates.end_of_day(day(row["last day"]), ZoneInfo(row["zone"]))
        assert expires_at.isoformat() == row["expires at"]


def test_the_examples_of_renewals_by_months_are_correct() -> None:
    for row in table(6):
        stepped = dates.add_months(int(row["anchor day"]), day(row["last day"]), int(row["months"]))
        assert str(stepped) == row["new last day"]


def test_the_examples_of_the_minimum_months_are_correct() -> None:
    for row in table(7):
        least = dates.min_months_to_reach(int(row["anchor day"]), day(row["expired on"]), day(row["today"]))
        assert str(least) == row["least months"]


def priced(
    monthly: str, months: int, days: int, days_in_month: int, tiers: Sequence[pricing.DiscountTier]
) -> str:
    price = pricing.price_period(money.parse_cents(monthly), months, days, days_in_month, tiers)
    return money.format_cents(price.price_cents)


def test_the_examples_of_prices_for_months_are_correct() -> None:
    for row in table(12):
        percent, months = int(row["discount"].removesuffix(" %")), int(row["months"])
        tiers = [pricing.DiscountTier(months, 100 * percent)]
        assert priced(row["monthly"], months, 0, 31, tiers) == row["price"]


def test_the_examples_of_prices_up_to_a_date_are_correct() -> None:
    for row in table(13):
        span = dates.period_between(int(row["anchor day"]), day(row["last day"]), day(row["target"]))
        assert [str(number) for number in span] == [row["months"], row["days"], row["of"]]
        assert priced(row["monthly"], *span, []) == row["price"]


def test_the_examples_of_a_unify_to_a_day_of_the_month_are_correct() -> None:
    for row in table(14):
        last_day, day_of_month = day(row["last day"]), int(row["day of month"])
        month_later = dates.add_months(last_day.day, last_day, 1)
        assert str(dates.first_on_day_of_month(day_of_month, month_later)) == row["target"]


def test_the_examples_of_due_times_are_correct() -> None:
    for row in table(20):
        due_at = dates.due_at(
            day(row["last day"]),
            ZoneInfo(row["zone"]),
            time=HALF_PAST_MIDNIGHT,
            lead_days=int(row["lead days"]),
        )
        assert due_at.isoformat() == row["due at"]


def test_the_examples_of_the_cut_over_are_correct() -> None:
    for row in table(38):
        zone = ZoneInfo(row["zone"])
        begins = dt.datetime.fromisoformat(row["autoRenewFrom"])
        account = model.Account("a", zone, 0, 0, int(row["lead days"]), auto_renew_from=begins)
        refusal = due.refuse_left(instance(expires=row["last day"], zone=zone), account)
        assert ("left" if refusal else "renewed") == row[""]


def test_rule_26_states_the_limits_of_the_code() -> None:
    [section] = re.findall(r"^### Rule 26: .*?(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    for number in (
        limits.INSTANCES_PER_SELECTION_MAX,
        limits.PAGE_ROWS_MAX,
        limits.MONTHS_MAX,
        limits.FORECAST_DAYS_MAX,
        limits.IDEMPOTENCY_KEY_LENGTH_MAX,
    ):
        assert re.search(rf"\b{number:,}\b", section), number
