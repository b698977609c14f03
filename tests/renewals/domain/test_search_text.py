"""Folded texts: a text contains a term in any case if and only if its folded form contains the folded term."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.domain import search_text

ALPHABET = "aAbBkK\u212a019UVuvßẞéÉσςΣſsS上海北京\u4e0a\U00020000\U0001f600%_\\ -.:"
TEXTS = st.text(ALPHABET, max_size=12) | st.text(max_size=6)


def contains_in_any_case(text: str, term: str) -> bool:
    """Return whether a text contains a term in any case, compared character by character."""
    wanted = [search_text._fold_case(character) for character in term]
    characters = [search_text._fold_case(character) for character in text]
    return any(
        characters[start : start + len(wanted)] == wanted
        for start in range(len(characters) - len(wanted) + 1)
    )


@given(TEXTS, TEXTS)
def test_a_folded_text_contains_a_folded_term_exactly_if_the_text_contains_the_term(
    text: str, term: str
) -> None:
    assert (search_text.fold(term) in search_text.fold(text)) is contains_in_any_case(text, term)


@given(TEXTS, TEXTS, TEXTS)
def test_every_part_of_a_text_is_found_in_any_case(before: str, term: str, after: str) -> None:
    for cased in (term, term.lower(), term.upper()):
        if len(cased) == len(term):
            assert search_text.fold(cased) in search_text.fold(before + term + after)


@given(st.text())
def test_a_folded_text_is_ascii(text: str) -> None:
    assert search_text.fold(text).isascii()


@pytest.mark.parametrize(
    ("text", "term"), [("u4e0a", "上"), ("UEOAK", "上"), ("4051", "\u4051"), ("北", "京"), ("e", "é")]
)
def test_a_folded_character_matches_neither_its_code_as_text_nor_another_character(
    text: str, term: str
) -> None:
    assert search_text.fold(term) not in search_text.fold(text)
    assert search_text.fold(text) not in search_text.fold(term)


def test_one_folded_chinese_character_is_long_enough_for_a_trigram() -> None:
    assert len(search_text.fold("京")) >= 3
