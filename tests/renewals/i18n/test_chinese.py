"""The Chinese texts have the terms, spaces and punctuation that docs/languages.md requires."""

import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import pofile

from renewals.domain.model import Language
from renewals.i18n import catalogs

PAGE = Path(__file__).parents[3] / "docs" / "languages.md"
CHINESE = r"[\u4e00-\u9fff]"
WORDS = frozenset({"name", "kind", "label", "problem", "reason", "error"})
"""Placeholders that can also contain Chinese words. No space separates these from other Chinese words."""


def entries() -> Iterator[tuple[str, str]]:
    """Yield each English text with its Chinese translation."""
    with catalogs.path(Language.ZH).open("rb") as file:
        for message in pofile.read_po(file, locale="zh"):
            english = message.id if isinstance(message.id, str) else message.id[-1]
            chinese = message.string if isinstance(message.string, str) else (message.string or [""])[0]
            if english:
                yield english, chinese


def terms() -> list[tuple[str, str, list[str]]]:
    """Return the rows of the page's table of terms: the English term, the Chinese term, and the words to avoid."""
    table = PAGE.read_text(encoding="utf-8").partition("| English | Chinese | not |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]
    return [(row[0], row[1], row[2].split("、") if row[2:] and row[2] else []) for row in rows]


@pytest.mark.parametrize(
    ("chinese", "excluded_words"), [(chinese, words) for _, chinese, words in terms() if words]
)
def test_no_text_has_a_chinese_word_that_the_table_of_terms_excludes(
    chinese: str, excluded_words: list[str]
) -> None:
    wrong = {text for _, text in entries() for word in excluded_words if word in text}
    assert not wrong, f"write {chinese}"


def test_each_chinese_term_of_the_table_is_used() -> None:
    texts = "".join(text for _, text in entries())
    assert [chinese for _, chinese, _ in terms() if chinese not in texts] == []


def test_spaces_divide_chinese_from_latin_letters_and_numbers() -> None:
    wrong = [text for _, text in entries() if re.search(f"{CHINESE}[A-Za-z0-9]|[A-Za-z0-9%]{CHINESE}", text)]
    assert wrong == []


def test_spaces_divide_chinese_from_names_amounts_and_dates() -> None:
    wrong = []
    for _, text in entries():
        for name in {name for _, name, _, _ in string.Formatter().parse(text) if name} - WORDS:
            placeholder = rf"\{{{name}(?:[:!][^}}]*)?\}}"
            if re.search(f"{CHINESE}{placeholder}|{placeholder}{CHINESE}", text):
                wrong.append(text)
    assert wrong == []


def test_no_space_is_next_to_full_width_punctuation() -> None:
    assert [
        text for _, text in entries() if re.search(r" [，。；：！？（）“”、]|[，。；：！？（）“”、] ", text)
    ] == []


def test_a_translation_has_the_final_punctuation_of_the_english_text() -> None:
    ends = ((" ...", "……"), (".", "。"))
    wrong = [
        text
        for english, text in entries()
        if next((end for dot, end in ends if english.endswith(dot)), "")
        != next((end for _, end in ends if text.endswith(end)), "")
    ]
    assert wrong == []


@pytest.mark.parametrize("word", ["您", "它", "被", "如果你", "进行了"])
def test_no_text_has_a_word_that_is_typical_of_literal_translation(word: str) -> None:
    assert [text for _, text in entries() if word in text] == []
