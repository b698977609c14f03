"""The catalogs of translations are complete, and have the same placeholders and the punctuation of their language."""

import re
from pathlib import Path

import pytest
from babel.messages import pofile
from babel.messages.catalog import Catalog

from renewals.domain.messages import CountedMessage, Message
from renewals.domain.model import Language
from renewals.domain.money import Cents
from renewals.i18n import catalogs
from scripts import catalogs as script

HALF_WIDTH = re.compile(r"[\u4e00-\u9fff][,;:!?()]|[,;:!?()][\u4e00-\u9fff]")


def read(language: Language) -> Catalog:
    with catalogs.path(language).open("rb") as file:
        return pofile.read_po(file, locale=language.value)


@pytest.mark.parametrize("language", script.LANGUAGES)
def test_every_message_of_the_source_is_translated(language: Language) -> None:
    assert list(script.problems(language, script.extract_messages())) == []


def test_every_message_can_be_extracted() -> None:
    assert list(script.unextracted()) == []


@pytest.mark.parametrize("language", script.LANGUAGES)
def test_writing_a_complete_catalog_changes_nothing(language: Language) -> None:
    text = catalogs.path(language).read_text(encoding="utf-8")
    assert script.update(language, script.extract_messages()) == text


def test_the_check_reports_each_kind_of_incomplete_or_outdated_translation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalogs, "FOLDER", tmp_path)
    path = catalogs.path(Language.ZH)
    path.parent.mkdir(parents=True)
    path.write_text(
        'msgid "stale"\nmsgstr "x"\n\n'
        '#, fuzzy\nmsgid "fuzzy"\nmsgstr "x"\n\n'
        'msgid "empty"\nmsgstr ""\n\n'
        'msgid "{months} months"\nmsgstr "{month} 个月"\n\n'
        '#~ msgid "old"\n#~ msgstr "x"\n'
    )
    template = Catalog()
    for text in ("fuzzy", "empty", "{months} months", "missing"):
        template.add(text)
    assert sorted(script.problems(Language.ZH, template)) == [
        "'empty' is not translated",
        "'fuzzy' is fuzzy",
        "'missing' is missing",
        "'old' is obsolete",
        "'stale' is not a message of the source",
        "'{months} months' has other placeholders than '{month} 个月'",
    ]


def test_a_message_whose_text_is_not_a_literal_is_reported(tmp_path: Path) -> None:
    (tmp_path / "renewals").mkdir()
    (tmp_path / "renewals" / "a.py").write_text(
        'import renewals.domain.messages\nMessage(f"{a}")\nmessages.Message("b" "c")\nCountedMessage("a", b)\n'
    )
    assert [place.split(": ")[0] for place in script.unextracted(tmp_path)] == [
        "renewals/a.py:2",
        "renewals/a.py:4",
    ]


def test_chinese_texts_have_full_width_punctuation() -> None:
    texts = [str(message.string) for message in read(Language.ZH) if message.id]
    assert [text for text in texts if HALF_WIDTH.search(text)] == []


def test_a_message_is_translated_with_its_arguments() -> None:
    message = Message(
        "Add {amount} today to pay for every renewal.", amount=Message("{total}", total=Cents(150))
    )
    assert catalogs.translate(message, Language.EN) == "Add 1.50 today to pay for every renewal."
    assert catalogs.translate(message, Language.ZH) == "今天充值 1.50，即可全部续费。"


def test_a_text_without_a_translation_stays_english() -> None:
    message = CountedMessage(
        "{count} such thing of {ids}", "{count} such things of {ids}", count=2, ids=("a", "b")
    )
    assert catalogs.translate(message, Language.ZH) == "2 such things of a、b"
