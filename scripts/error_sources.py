"""The codes of errors and refusals in the source, with their HTTP statuses and their sentences."""

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PACKAGES = ("renewals", "schema", "graphql_api", "workers")
LIMIT_STATUS = 400
"""The HTTP status of a request whose document exceeds a limit."""
_CODE_AT = {"HTTPError": 1, "error": 1, "LimitExceededError": 0, "too_many": 0}
"""The functions that make an error, each with the index of the code among its arguments."""
_CODE_CONSTANTS = ("CODE", "UNAVAILABLE")
_MESSAGES = ("Message", "CountedMessage")


class Sentence(NamedTuple):
    """An English sentence with its placeholders, and the id of its translation."""

    text: str
    id: str


@functools.cache
def error_statuses() -> Mapping[str, set[int]]:
    """Return the codes of errors, each with the HTTP statuses that the source uses with the code."""
    statuses: defaultdict[str, set[int]] = defaultdict(set)
    for tree in source_trees():
        for node in ast.walk(tree):
            for code, status in _codes_of(node):
                statuses[code].update([status] if status else [])
    return statuses


def _codes_of(node: ast.AST) -> Iterator[tuple[str, int | None]]:
    """Yield the codes in a call, a dictionary, an assignment or a row of a table of limits, with their statuses."""
    match node:
        case ast.Call() if (at := _CODE_AT.get(_name(node.func))) is not None and len(node.args) > at:
            prefix = "TOO_MANY_" if _name(node.func) == "too_many" else ""
            if code := _capitals(node.args[at]):
                yield prefix + code, _number(node.args[0]) if at else LIMIT_STATUS
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code" and (code := _capitals(value)):
                    yield code, None
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _CODE_CONSTANTS:
            if code := _capitals(node.value):
                yield code, None
        case ast.For(target=ast.Tuple(elts=[ast.Name(id="code"), *_]), iter=ast.Tuple(elts=rows)):
            for row in rows:
                if isinstance(row, ast.Tuple) and (code := _capitals(row.elts[0])):
                    yield f"TOO_MANY_{code}", LIMIT_STATUS


@functools.cache
def refusal_sentences() -> Mapping[str, list[Sentence]]:
    """Return, by code, the sentences of the refusals that the source creates with a constant code."""
    sentences: defaultdict[str, list[Sentence]] = defaultdict(list)
    for tree in source_trees():
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            for call in ast.walk(function):
                if not isinstance(call, ast.Call) or _name(call.func) != "Refusal" or len(call.args) < 3:
                    continue
                code, message = call.args[1:3]
                if not isinstance(code, ast.Attribute):
                    continue
                sentence = _sentence(message, call.lineno, function, tree)
                if sentence and sentence not in sentences[code.attr]:
                    sentences[code.attr].append(sentence)
    return sentences


def _sentence(node: ast.expr, line: int, *scopes: ast.AST) -> Sentence | None:
    """Return the sentence of a message, or of a variable that holds a message; None for any other node.

    The value of a variable is its last assignment before the line in the first of the scopes that assigns it.
    """
    if isinstance(node, ast.Call) and _name(node.func) in _MESSAGES:
        texts = [text.value for text in node.args if isinstance(text, ast.Constant)]
        return Sentence(str(texts[-1]), str(texts[0]))
    if isinstance(node, ast.Name):
        for scope in scopes:
            values = {
                each.lineno: each.value
                for each in ast.walk(scope)
                if isinstance(each, ast.Assign) and [_name(target) for target in each.targets] == [node.id]
            }
            before = [at for at in values if at < line] or sorted(values)[:1]
            if before:
                return _sentence(values[max(before)], line)
    return None


@functools.cache
def source_trees() -> list[ast.Module]:
    """Return the parsed modules of the product."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def _name(node: ast.expr) -> str:
    """Return the name of a function or a variable, without its module."""
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _capitals(node: ast.expr) -> str | None:
    """Return the text of a constant in capitals, as all codes are; None for any other node."""
    text = node.value if isinstance(node, ast.Constant) else None
    return text if isinstance(text, str) and text.isupper() else None


def _number(node: ast.expr) -> int | None:
    number = node.value if isinstance(node, ast.Constant) else None
    return number if isinstance(number, int) else None
