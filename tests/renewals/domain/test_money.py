"""Money in whole cents (rule 12): parsing, refusals and rounding."""

import decimal
import math
from fractions import Fraction

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.domain import money
from tests.renewals import factories

ANY_CENTS = st.integers(-money.CENTS_MAX, money.CENTS_MAX)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("512.90", 51290),
        ("512.9", 51290),
        ("512.09", 51209),
        ("512", 51200),
        ("0", 0),
        ("0.01", 1),
        ("007.50", 750),
        ("-0.01", -1),
        ("-12.30", -1230),
        ("9999999999999.99", 10**15 - 1),
        (512, 51200),
        (0, 0),
        (-3, -300),
        (10**13, 10**15),
        ("10000000000000.00", 10**15),
        ("-10000000000000", -(10**15)),
        ("0" * 14, 0),
        ("0" * 5000 + "5.10", 510),
    ],
)
def test_a_decimal_string_or_a_whole_number_is_parsed_as_an_amount(text: object, cents: int) -> None:
    assert money.parse_cents(text) == cents


@pytest.mark.parametrize("value", [512.90, 512.0, 0.0, math.nan, math.inf, decimal.Decimal("512.90"), 1 + 0j])
def test_a_float_is_refused_even_if_it_is_whole(value: object) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        money.parse_cents(value)


@pytest.mark.parametrize("value", [True, False, None, b"512", [512], {"cents": 512}])
def test_a_boolean_null_bytes_and_containers_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        money.parse_cents(value)


@pytest.mark.parametrize(
    "text",
    [
        *["NaN", "nan", "Infinity", "-inf", "1e3", "1E3", "1e-2", "0x10", "1_000", "1,000", "¥5", "5 CNY"],
        *["", ".", "-", ".5", "5.", "-.5", "+5", "--5", "5-", "1.2.3", "5.-1"],
        *[" 5", "5 ", "5\n", "\t5", "- 5", "5 .00", "5\u00a0", "\u200b5", "5\0"],
        *["٥", "５", "५.५०", "5.٠٠", "²", "−5", "5．00", "5，00"],
    ],
)
def test_a_text_that_only_looks_like_an_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        money.parse_cents(text)


@pytest.mark.parametrize("text", ["0.001", "512.900", "1.000", "-0.005"])
def test_a_third_decimal_place_is_refused_and_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        money.parse_cents(text)


@pytest.mark.parametrize(
    "value",
    [
        10**13 + 1,
        -(10**13) - 1,
        10**30,
        "99999999999999",
        "-99999999999999",
        "10000000000000.01",
        "-10000000000000.01",
        "9" * 5000,
        "-" + "1" + "0" * 5000,
    ],
)
def test_an_amount_that_is_too_large_is_refused_with_the_bound(value: object) -> None:
    with pytest.raises(ValueError, match="the amount must be") as caught:
        money.parse_cents(value)
    bound = "must be between -10000000000000.00 and 10000000000000.00"
    assert str(caught.value) == f"the amount {bound}"


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (51290, "512.90"),
        (51209, "512.09"),
        (5, "0.05"),
        (0, "0.00"),
        (-5, "-0.05"),
        (-100, "-1.00"),
        (-1230, "-12.30"),
        (10**15, "10000000000000.00"),
    ],
)
def test_an_amount_is_formatted_with_two_decimal_places(cents: int, text: str) -> None:
    assert money.format_cents(cents) == text


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (0, 7, 0),
        (1, 2, 1),
        (3, 2, 2),
        (5, 2, 3),
        (49, 100, 0),
        (50, 100, 1),
        (51, 100, 1),
        (6, 3, 2),
        (1, 3, 0),
    ],
)
def test_a_half_is_rounded_up_not_to_even(numerator: int, denominator: int, quotient: int) -> None:
    assert money.divide_half_up(numerator, denominator) == quotient


@factories.unhurried
@hypothesis.given(st.integers(1 - money.CENTS_MAX, money.CENTS_MAX - 1))
def test_parsing_a_formatted_amount_returns_the_same_amount(cents: int) -> None:
    assert money.parse_cents(money.format_cents(cents)) == cents


@factories.unhurried
@hypothesis.given(st.text(alphabet="0123456789.-+eE _٣５\n", max_size=20) | st.text(max_size=8))
def test_a_parsed_text_has_the_same_value_as_its_decimal(text: str) -> None:
    try:
        cents = money.parse_cents(text)
    except ValueError:
        return
    assert decimal.Decimal(text) * 100 == cents
    assert text.isascii()
    assert set(text) <= set("0123456789.-")


@factories.unhurried
@hypothesis.given(st.floats() | st.booleans() | st.none() | st.decimals() | st.fractions())
def test_floats_decimals_fractions_booleans_and_null_are_refused_as_amounts(value: object) -> None:
    with pytest.raises(ValueError, match="decimal string"):
        money.parse_cents(value)


@factories.unhurried
@hypothesis.given(ANY_CENTS.map(abs), st.integers(1, 400_000))
def test_division_returns_the_exact_quotient_rounded_half_up(numerator: int, denominator: int) -> None:
    exact = Fraction(numerator, denominator)
    assert money.divide_half_up(numerator, denominator) == math.floor(exact + Fraction(1, 2))
