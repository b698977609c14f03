"""Docstrings, messages, the printed schemas and the pages contain no phrase of a list of unclear phrases.

Each phrase was once used for something that has a plain word. The list is only a minimum: a text without these phrases
can still be hard to read.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = [
    path
    for folder in ("renewals", "schema", "graphql_api", "workers", "scripts")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]
PAGES = [
    *sorted((ROOT / "docs").rglob("*.md")),
    *(
        ROOT / name
        for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    ),
]
SCHEMAS = sorted(ROOT.glob("*.graphql"))

PHRASES = {
    r"\bwhoever\b": "the name of the role: the caller, the client, the operator",
    r"\blest\b": "so that ... not",
    r"\bso (many|long|often|much|few)\b(?! (as|that))": "the number, or 'at most', 'for N seconds'",
    r"\bhangs? on\b": "depends on",
    r"\bforese(e|en|es)\b": "simulate, forecast",
    r"\b(is|are|was|were|be|been) told\b": "is reported, receives",
    r"\blooked? (at|for|through)\b": "read, search, check",
    r"\bgoodbye\b": "close",
    r"\b(server|database|redis|postgresql|valkey|it) (is|was|are|were) away\b": "is unavailable",
    r"\bfor good\b": "permanently",
    r"\bin the midst of\b": "during",
    r"\bthe same of\b": "name the thing again",
    r"\bin hand\b": "current",
    r"\bwhat is (right|there|here|ours|theirs)\b": "name the thing",
    r"\bmishap\b": "error",
    r"\ba (hundredth|thousandth|tenth|eighth|seventh|sixth|fifth) of\b": "the percentage",
}
IN_CODE = {
    r"(?<!`)\bnobody\b": "no client, no process, no account",
    r"\bsomebody\b": "another process, a client",
}
"""Phrases that are allowed only where they mean people, and therefore not in code."""
BEGINNINGS = re.compile(
    r"(?:^|(?<=[.!?:] ))(What|Who|Whoever|Whose|Of|So long|So many|So much|So far)\b(?! to do\b)"
)
ANSWERS = re.compile(r"^(Answers|Tells|Says|Knows|Looks|Takes|Gives|Has|Makes|Puts|Does)\b")
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|FROM|WHERE)\b")
WORDS_MIN = 3


def docstrings_and_messages(path: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield the line and the text of each docstring and message of a module, and whether it is documentation."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = " ".join(node.value.split())
            if len(text.split()) >= WORDS_MIN and not SQL.search(text):
                yield node.lineno, text, id(node) in documentation


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a page that are not code."""
    is_code = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        elif not is_code:
            yield number, line


def find_banned(text: str, phrases: Mapping[str, str] = PHRASES) -> list[str]:
    """Return a line for each phrase of the list that is in a text, with the words to write instead."""
    lowered = text.lower()
    return [
        f"{match[0]!r}: write {instead}"
        for phrase, instead in phrases.items()
        if (match := re.search(phrase, lowered))
    ]


def test_docstrings_and_messages_have_no_banned_phrase() -> None:
    problems = []
    for path in CODE:
        for line, text, is_documentation in docstrings_and_messages(path):
            phrases = find_banned(text, PHRASES | IN_CODE)
            if is_documentation and (match := BEGINNINGS.search(text)):
                phrases.append(f"a sentence begins with {match[1]!r}")
            if is_documentation and (match := ANSWERS.match(text)):
                phrases.append(f"begins with {match[1]!r}: begin with an imperative verb")
            problems += [f"{path.relative_to(ROOT)}:{line}: {problem} ({text[:60]})" for problem in phrases]
    assert not problems, f"{len(problems)} to rewrite:\n" + "\n".join(problems)


@pytest.mark.parametrize("path", [*PAGES, *SCHEMAS], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_has_no_banned_phrase(path: Path) -> None:
    problems = [
        f"{path.name}:{number}: {problem}" for number, line in prose(path) for problem in find_banned(line)
    ]
    assert not problems, "\n".join(problems)


def test_the_checks_detect_unclear_phrases_and_accept_plain_sentences() -> None:
    assert find_banned("Whoever is told so long waits")
    assert not find_banned("The client receives an error after 30 seconds; as long as that")
    assert BEGINNINGS.search("Return it. What is left goes.")
