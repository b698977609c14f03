"""Each message in docs/troubleshooting.md and its Chinese page is one that the source code can print."""

import ast
import re
from pathlib import Path

from scripts import error_sources

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "docs/troubleshooting.md", ROOT / "docs/zh/troubleshooting.md")
MESSAGE = re.compile(r"^\| `(.+?)` \|", re.MULTILINE)
OF_LIBRARIES = {
    "RENEWALS_WORKERS: Input should be greater than or equal to 1",  # pydantic
    "Cannot query field 'nam' on type 'Account'.",  # graphql-core
    "Python 3.11 or later is required",  # Makefile
}
PLACEHOLDER = re.compile(r"\{.*?\}|%\.?\d*[sdrf]")
CLAUSE_END = re.compile(r"(?<=[.,;:]) ")
CHARACTERS_MIN = 10
"""The minimum number of letters and spaces of a text that identifies a message."""


def patterns() -> list[re.Pattern[str]]:
    """Return the texts of the source code, and their beginnings up to the end of a clause, as patterns of messages."""
    texts = set()
    for tree in error_sources.source_trees():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    texts.add(" ".join(text.split()))
                case ast.JoinedStr(values=values):
                    texts.add("".join(str(v.value) if isinstance(v, ast.Constant) else "{}" for v in values))
    beginnings = {
        text[:end].rstrip(".,;:")
        for text in texts
        for end in (*(m.start() for m in CLAUSE_END.finditer(text)), len(text))
    }
    return [
        re.compile(".*".join(map(re.escape, PLACEHOLDER.split(text))))
        for text in beginnings
        if " " in text and len(re.sub(r"[^A-Za-z ]", "", PLACEHOLDER.sub("", text)).strip()) >= CHARACTERS_MIN
    ]


def is_known(message: str, sources: list[re.Pattern[str]]) -> bool:
    """Return whether a message contains a text of the source code, or the beginning of one."""
    return any(source.search(message) for source in sources)


def test_every_message_on_the_page_is_in_the_source_code() -> None:
    sources = patterns()
    messages = MESSAGE.findall(PAGES[0].read_text(encoding="utf-8"))
    assert len(messages) > 30
    assert [text for text in messages if text not in OF_LIBRARIES and not is_known(text, sources)] == []
    assert not is_known("the instance is on holiday", sources)


def test_the_english_and_the_chinese_page_have_the_same_messages() -> None:
    english, chinese = (MESSAGE.findall(page.read_text(encoding="utf-8")) for page in PAGES)
    assert chinese == english
