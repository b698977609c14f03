"""The catalogs of translations: `python -m scripts.catalogs` writes them or, with `--check`, only checks them.

Each text of a `Message` or a `CountedMessage` in the source is an entry. Writing adds an entry without a translation
for each new text, and removes the entries that the source no longer has. The check fails for an entry that is missing,
stale, fuzzy or not translated, and for a translation with other placeholders than the text. It also fails for a text
that is not a literal, because such a text cannot be extracted.
"""

import ast
import io
import string
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from babel.messages import extract, pofile
from babel.messages.catalog import Catalog, Message

from renewals.domain.model import Language
from renewals.i18n import catalogs

ROOT = Path(__file__).parents[1]
PACKAGES = ("renewals", "schema", "graphql_api", "workers")
KEYWORDS: Mapping[str, tuple[int, ...]] = {"Message": (1,), "CountedMessage": (1, 2)}
_MODULE = "renewals.domain.messages"
_OWN_FILES = frozenset({"renewals/domain/messages.py", "renewals/domain/stored_messages.py"})
"""The files that define `Message` and restore stored messages. Their calls may have texts that are not literals."""
LANGUAGES = tuple(language for language in Language if language is not Language.EN)
LINE_CHARACTERS_MAX = 110
_HEADER = """\
# Translations of Renewals. `python -m scripts.catalogs` adds and removes entries; see docs/languages.md.
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms};\\n"

"""


def extract_messages(root: Path = ROOT) -> Catalog:
    """Return the messages of the source, each with the files that contain it."""
    catalog = Catalog()
    for path in _sources(root):
        with path.open("rb") as file:
            for _, text, _, _ in extract.extract("python", file, KEYWORDS):
                catalog.add(text, locations=[(path.relative_to(root).as_posix(), 0)])
    return catalog


def unextracted(root: Path = ROOT) -> Iterator[str]:
    """Yield the place and the problem of each message whose text is not a literal."""
    for path in _sources(root):
        source = path.read_text(encoding="utf-8")
        if _MODULE not in source or path.relative_to(root).as_posix() in _OWN_FILES:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and (name := _function_name(node.func)) in KEYWORDS:
                texts = node.args[: len(KEYWORDS[name])]
                if not all(isinstance(text, ast.Constant) for text in texts):
                    yield f"{path.relative_to(root)}:{node.lineno}: the text of a message must be a literal"


def _sources(root: Path) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def _function_name(function: ast.expr) -> str:
    """Return the name of a called function, without its module."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def problems(language: Language, template: Catalog) -> Iterator[str]:
    """Yield the problems of a language's catalog."""
    with catalogs.path(language).open("rb") as file:
        catalog = pofile.read_po(file, locale=language.value)
    for stale in catalog.obsolete.values():
        yield f"{_text(stale)!r} is obsolete"
    for message in _entries(catalog):
        if message.id not in template:
            yield f"{_text(message)!r} is not a message of the source"
        elif message.fuzzy:
            yield f"{_text(message)!r} is fuzzy"
        elif not all(_strings(message.string)):
            yield f"{_text(message)!r} is not translated"
        elif any(_placeholders(each) != _placeholders(_text(message)) for each in _strings(message.string)):
            yield f"{_text(message)!r} has other placeholders than {message.string!r}"
    for message in _entries(template):
        if message.id not in catalog:
            yield f"{_text(message)!r} is missing"


def update(language: Language, template: Catalog) -> str:
    """Return the text of a language's catalog with exactly the messages of the source."""
    path = catalogs.path(language)
    with path.open("rb") if path.exists() else io.BytesIO() as file:
        catalog = pofile.read_po(file, locale=language.value)
    catalog.update(template, no_fuzzy_matching=True)
    written = io.BytesIO()
    pofile.write_po(
        written,
        catalog,
        width=LINE_CHARACTERS_MAX,
        omit_header=True,
        ignore_obsolete=True,
        sort_by_file=True,
        include_lineno=False,
    )
    header = _HEADER.format(language=language.value, plural_forms=catalog.plural_forms)
    return header + written.getvalue().decode().strip() + "\n"


def _entries(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def _text(message: Message) -> str:
    return _strings(message.id)[-1]


def _strings(value: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value or "",)


def _placeholders(text: str) -> set[str]:
    """Return the names in a text's braces, without their formats."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def main(*arguments: str) -> int:
    """Write the catalogs or, with `--check`, only check them. Return 1 if there is a problem, else 0."""
    template = extract_messages()
    found = 0
    for place in unextracted():
        found += 1
        print(place, file=sys.stderr)
    for language in LANGUAGES:
        path = catalogs.path(language)
        if "--check" not in arguments:
            path.write_text(update(language, template), encoding="utf-8")
        for problem in problems(language, template):
            found += 1
            print(f"{path.relative_to(ROOT)}: {problem}", file=sys.stderr)
    if found:
        print("Run python -m scripts.catalogs, and translate the empty entries.", file=sys.stderr)
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
