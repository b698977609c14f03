"""The output of an import that is interrupted."""

from pathlib import Path

import pytest

from graphql_api.cli import import_progress
from renewals.domain.model import Language
from renewals.imports import file_reader


@pytest.mark.parametrize(
    ("language", "is_dry_run", "report"),
    [
        (
            Language.EN,
            False,
            "Stopped at line 0. Committed rows are kept. To import the rest, import the same file again.",
        ),
        (Language.EN, True, "Dry run stopped at line 0: nothing was written."),
        (Language.ZH, True, "试运行已在第 0 行停止：未写入任何数据。"),
    ],
)
def test_an_interrupted_import_says_whether_rows_were_written(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    language: Language,
    is_dry_run: bool,
    report: str,
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("id,name\n")
    source = file_reader.inspect_file(path)
    with (
        pytest.raises(KeyboardInterrupt),
        import_progress.open_reporter(source, None, language, is_dry_run=is_dry_run),
    ):
        raise KeyboardInterrupt
    assert capsys.readouterr() == ("", f"{report}\n")
