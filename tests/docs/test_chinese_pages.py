"""Each page of docs/zh has the commands and the facts of the English page, in the terms of docs/languages.md.

The English pages are executed. A Chinese page has the same blocks of code, apart from comments, so that they are
executed with it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.renewals.i18n import test_chinese

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "docs", ROOT / "docs" / "zh"
PAGES = sorted(path.name for path in CHINESE.glob("*.md"))
README, README_ZH = ROOT / "README.md", ROOT / "README.zh-CN.md"
GENERATED = {"errors.md"}
OWN_OF_ENGLISH = {"README.md"}
"""Pages whose facts differ: the index names other pages."""
BLOCK = re.compile(r"^```(\w+).*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^|\s)#\s.*$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
NUMBER = re.compile(r"\d+(?:[.,:-]\d+)*")
HEADING, TABLE_ROW = re.compile(r"^#+(?= )", re.MULTILINE), re.compile(r"^\|(?= )", re.MULTILINE)
LINK_TARGET = re.compile(r"\]\([^)]*\)")
MESSAGES = ROOT / "console/src/i18n/messages"


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the language and the text of each block of code, without comments."""
    return [(language, COMMENT.sub("", code)) for language, code in BLOCK.findall(text)]


def prose(text: str) -> str:
    """Return a page without blocks of code and targets of links."""
    return LINK_TARGET.sub("]", BLOCK.sub("", text))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def chinese_texts() -> Iterator[tuple[str, str]]:
    """Yield each line, or cell, of the Chinese pages with its place, without code and the words of the console."""
    for path in [README_ZH, *(CHINESE / name for name in PAGES)]:
        for number, line in enumerate(prose(read(path)).splitlines(), start=1):
            text = re.sub(r"“[^”]*”", "“”", SPAN.sub("`", line))
            for cell in re.sub(r"<https?:[^>]*>", "`", text).split("|"):
                yield f"{path.relative_to(ROOT)}:{number}", cell.strip()


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_has_the_code_of_the_english_page(name: str) -> None:
    """With UPDATE_DOCS=1, write the blocks of the English page into the Chinese one instead."""
    if os.environ.get("UPDATE_DOCS"):
        english = BLOCK.finditer(read(ENGLISH / name))
        text = BLOCK.sub(lambda block: next(english, block)[0], read(CHINESE / name))
        (CHINESE / name).write_text(text, encoding="utf-8")
    assert blocks(read(CHINESE / name)) == blocks(read(ENGLISH / name))


@pytest.mark.parametrize("name", [name for name in PAGES if name not in GENERATED | OWN_OF_ENGLISH])
def test_a_chinese_page_has_the_facts_of_the_english_page(name: str) -> None:
    english, chinese = prose(read(ENGLISH / name)), prose(read(CHINESE / name))
    assert set(SPAN.findall(english)) - set(SPAN.findall(chinese)) == set()
    assert set(NUMBER.findall(english)) - set(NUMBER.findall(chinese)) == set()
    for structure in (HEADING, TABLE_ROW):
        assert structure.findall(english) == structure.findall(chinese)


def test_the_chinese_readme_has_the_code_of_the_english_one_in_its_order() -> None:
    remaining = iter(blocks(read(README_ZH)))
    assert [block for block in blocks(read(README)) if block not in remaining] == []


def test_chinese_pages_use_only_the_listed_terms() -> None:
    wrong = [
        f"{place}: {other}: write {chinese}"
        for place, text in chinese_texts()
        for _, chinese, others in test_chinese.terms()
        for other in others
        if other in text
    ]
    assert wrong == []


def test_chinese_pages_are_spaced_and_punctuated_as_the_texts_of_the_product() -> None:
    letter = test_chinese.CHINESE
    wrong = re.compile(
        f"{letter}[A-Za-z0-9`]|[A-Za-z0-9%`]{letter}| [，。；：！？、]|[，。；：！？、] |{letter}[,;:!?]|[您它被]"
    )
    problems = [f"{place}: {match[0]}" for place, text in chinese_texts() if (match := wrong.search(text))]
    assert problems == []


def test_no_line_ends_within_a_chinese_paragraph() -> None:
    """A browser shows a line break as a space, which Chinese does not have."""
    wide = "[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef”]"
    broken = re.compile(rf"^(?![|#]).*{wide}\n(?=[^\s|#*\-0-9>])(?=.)", re.MULTILINE)
    pages = [README_ZH, *(CHINESE / name for name in PAGES)]
    assert [match[0] for page in pages for match in broken.finditer(BLOCK.sub("", read(page)))] == []


def test_the_guides_to_the_console_use_the_labels_of_the_console() -> None:
    labels = read(
        ROOT / "renewals/i18n/locales/zh/LC_MESSAGES/renewals.po"
    )  # the words for enums are the API's
    texts = "".join([*map(read, MESSAGES.glob("*.ts")), labels])
    words = re.findall(r"\*\*([^*]+)\*\*", " ".join(read(ENGLISH / "console.md").split()))
    words += re.findall(r"“([^”]+)”", read(CHINESE / "console.md"))
    assert len(words) > 80
    assert [word for word in words if word not in texts and word != "bold"] == []
