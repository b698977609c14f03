"""The pages of errors and refusals: `python -m scripts.error_pages` writes them or, with `--check`, only compares them.

Codes, HTTP statuses and the sentences of refusals come from the source. Labels and translations come from the catalogs,
and the remedies from `error_help.toml`. The script fails if a code is missing in the source or in `error_help.toml`.
"""

import argparse
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from babel.messages import pofile
from graphql import GraphQLObjectType, build_schema

from renewals.domain.errors import RefusalCode
from renewals.domain.model import Language
from renewals.i18n import catalogs, labels
from scripts import error_sources

ROOT = Path(__file__).parents[1]
HELP = Path(__file__).with_name("error_help.toml")
PAGES = {Language.EN: ROOT / "docs/errors.md", Language.ZH: ROOT / "docs/zh/errors.md"}
SCHEMAS = (ROOT / "operator.graphql", ROOT / "schema.graphql")
INTERFACE = "Error"

Help: TypeAlias = Mapping[str, Any]


class IncompleteError(Exception):
    """Codes or HTTP statuses of the source differ from those of `error_help.toml`."""


def text(language: Language, explanations: Help | None = None) -> str:
    """Return the page of errors in `language`. Raises IncompleteError if the source and the explanations differ."""
    help_ = explanations or tomllib.loads(HELP.read_text(encoding="utf-8"))
    words: Help = help_["page"][language]
    tables = {
        "refusals": _refusals(help_["refusals"], language),
        "types": _types(help_["types"], language),
        "errors": _errors(help_["errors"], language),
    }
    rows = {
        name: "\n".join([words[name], "|---" * words[name].count(" | ") + "|---|", *table])
        for name, table in tables.items()
    }
    page: str = words["text"]
    for name, table in rows.items():
        page = page.replace(f"<{name}>", table)
    return page


def _refusals(help_: Help, language: Language) -> Iterable[str]:
    _compare("refusals", help_, [code.value for code in RefusalCode])
    sentences, translate = error_sources.refusal_sentences(), _translator(language)
    for code in RefusalCode:
        label = catalogs.translate(labels.REFUSAL_CODES[code], language)
        words = help_[code][language]
        meaning = "<br>".join(map(translate, sentences.get(code.value, ())))
        yield _row(f"`{code}`", label, meaning or words["meaning"], words["remedy"])


def _types(help_: Help, language: Language) -> Iterable[str]:
    types = error_types()
    _compare("types", help_, types)
    for name, description in sorted(types.items()):
        words = help_[name][language]
        yield _row(f"`{name}`", words.get("meaning", description), words["remedy"])


def _errors(help_: Help, language: Language) -> Iterable[str]:
    statuses = error_sources.error_statuses()
    _compare("errors", help_, statuses)
    for code in sorted(help_):
        http = help_[code]["http"]
        if missing := statuses[code] - set(http):
            raise IncompleteError(f"{HELP.name}: errors.{code}.http lacks {sorted(missing)}")
        words = help_[code][language]
        yield _row(f"`{code}`", ", ".join(map(str, http)), words["meaning"], words["remedy"])


def error_types() -> dict[str, str]:
    """Return the types of both schemas that implement the interface of errors, with their descriptions."""
    return {
        graphql_type.name: graphql_type.description or ""
        for path in SCHEMAS
        for graphql_type in build_schema(path.read_text(encoding="utf-8")).type_map.values()
        if isinstance(graphql_type, GraphQLObjectType)
        and any(interface.name == INTERFACE for interface in graphql_type.interfaces)
    }


def _translator(language: Language) -> Callable[[error_sources.Sentence], str]:
    """Return a function that translates a sentence and keeps its placeholders."""
    if language is Language.EN:
        return lambda sentence: sentence.text
    with catalogs.path(language).open("rb") as file:
        catalog = pofile.read_po(file, locale=language.value)

    def translate(sentence: error_sources.Sentence) -> str:
        message = catalog.get(sentence.id)
        texts = message.string if message else None
        return texts if isinstance(texts, str) else (texts or [sentence.text])[0]

    return translate


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _compare(name: str, explained: Iterable[str], known: Iterable[str]) -> None:
    if lacking := sorted(set(known) - set(explained)):
        raise IncompleteError(f"{HELP.name}: {name} lacks {', '.join(lacking)}")
    if stale := sorted(set(explained) - set(known)):
        raise IncompleteError(f"{HELP.name}: {name} has {', '.join(stale)}, which the source does not")


def main() -> int:
    """Write the pages or, with `--check`, only compare them. Return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is stale")
    is_check = parser.parse_args().check
    try:
        pages = {path: text(language) for language, path in PAGES.items()}
    except IncompleteError as problem:
        print(problem, file=sys.stderr)
        return 1
    if not is_check:
        for path, page in pages.items():
            path.write_text(page, encoding="utf-8")
        return 0
    stale = [path for path, page in pages.items() if path.read_text(encoding="utf-8") != page]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is stale: run python -m scripts.error_pages", file=sys.stderr)
    return min(len(stale), 1)


if __name__ == "__main__":
    sys.exit(main())
