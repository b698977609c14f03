"""docs/errors.md and docs/zh/errors.md match their source, and each code has an explanation."""

import copy
import tomllib
from pathlib import Path

import pytest

from renewals.domain.model import Language
from scripts import error_pages


@pytest.mark.parametrize("language", Language)
def test_the_page_of_errors_matches_its_source(language: Language) -> None:
    page = error_pages.PAGES[language].read_text(encoding="utf-8")
    assert page == error_pages.text(language), "write it again: python -m scripts.error_pages"


@pytest.mark.parametrize(("argument", "exit_code"), [("--help", 0), ("--cheque", 2)])
def test_the_help_and_an_unknown_option_write_no_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, argument: str, exit_code: int
) -> None:
    monkeypatch.setattr(error_pages, "PAGES", {Language.EN: tmp_path / "errors.md"})
    monkeypatch.setattr("sys.argv", ["error_pages", argument])
    with pytest.raises(SystemExit) as ended:
        error_pages.main()
    assert ended.value.code == exit_code
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("section", "code"), [("refusals", "EXPIRED"), ("types", "PriceChanged"), ("errors", "TOO_MANY_ALIASES")]
)
def test_a_missing_explanation_and_an_unknown_code_are_reported(section: str, code: str) -> None:
    explanations = tomllib.loads(error_pages.HELP.read_text(encoding="utf-8"))
    lacking = copy.deepcopy(explanations)
    del lacking[section][code]
    with pytest.raises(error_pages.IncompleteError, match=rf"{section} lacks {code}"):
        error_pages.text(Language.EN, lacking)
    explanations[section]["GONE"] = explanations[section][code]
    with pytest.raises(error_pages.IncompleteError, match=rf"{section} has GONE"):
        error_pages.text(Language.EN, explanations)
