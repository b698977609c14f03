"""Requirements for a file: its encoding, its header and its name."""

import codecs
from pathlib import Path

import pytest

from renewals.imports import file_reader
from tests.renewals.imports.conftest import (
    INSTANCES,
    RunImport,
    counts,
    csv_of,
    jsonl_of,
    problems,
    read_value,
    row,
    snapshot,
)
from tests.support.cli import Renewals

NAME = "云服务器一号"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_utf_8_and_gb18030_files_are_decoded_without_the_encoding_option(
    run_import: RunImport, url: str, encoding: str, suffix: str
) -> None:
    text = (csv_of if suffix == "csv" else _write_unescaped_jsonl)([row("i-1", name=NAME)])
    assert counts(run_import("instances", text.encode(encoding), name=f"instances.{suffix}")) == (1, 0, 0, 0)
    assert read_value(url, "SELECT name FROM instances") == NAME


def _write_unescaped_jsonl(rows: list[dict[str, object]]) -> str:
    text = jsonl_of(rows)
    assert NAME in text
    return text


def test_a_file_is_decoded_only_with_the_encoding_of_the_option(run_import: RunImport, url: str) -> None:
    text = csv_of([row("i-1", name="Zürich")]).encode("latin-1")
    assert counts(run_import("instances", text, "--encoding", "latin-1")) == (1, 0, 0, 0)
    assert read_value(url, "SELECT name FROM instances") == "Zürich"
    gb18030_text = csv_of([row("i-2", name=NAME)]).encode("gb18030")
    byte = gb18030_text.index(NAME.encode("gb18030")) + 1
    refused = run_import("instances", gb18030_text, "--encoding", "utf-8")
    assert refused.exit_code == 1
    assert refused.stderr == (
        f"instances.csv: cannot be decoded as utf-8 at line 2, column 7 (byte {byte}). "
        "Set --encoding to the file's encoding.\n"
    )


@pytest.mark.parametrize(
    "name", ["klingon", "hex", "rot13", "undefined", "base64", "punycode", "idna", "ut\x1bf"]
)
def test_an_encoding_option_that_is_not_a_text_encoding_is_refused_with_a_message(
    run_import: RunImport, name: str
) -> None:
    result = run_import("instances", csv_of([row("i-1")]), "--encoding", name)
    assert result.exit_code == 2
    assert isinstance(result.exception, SystemExit)
    assert "is not a text encoding" in result.stderr
    assert "\x1b" not in result.stderr


def test_a_file_that_cannot_be_decoded_with_the_encoding_option_is_refused(run_import: RunImport) -> None:
    for encoding in ("utf-7", "unicode-escape", "ascii"):
        result = run_import("instances", csv_of([row("i-1", name=f"{NAME}\\u12")]), "--encoding", encoding)
        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)
        assert result.stderr.startswith(f"instances.csv: cannot be decoded as {encoding}")


def test_a_file_with_a_byte_order_mark_is_imported_with_the_encoding_option_utf_8(
    run_import: RunImport, url: str
) -> None:
    text = csv_of([row("i-1", name=NAME)]).encode("utf-8-sig")
    for encoding in ("utf-8", "UTF8"):
        assert run_import("instances", text, "--encoding", encoding).exit_code == 0
    assert read_value(url, "SELECT name FROM instances") == NAME


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_the_summary_contains_the_encoding_of_the_file(run_import: RunImport, encoding: str) -> None:
    result = run_import("instances", csv_of([row("i-1", name=NAME)]).encode(encoding))
    assert f"refused; {encoding}, " in result.stdout


@pytest.mark.parametrize("bad", [b"\xff", "号".encode("gb18030"), "号".encode()[:2]])
@pytest.mark.parametrize("first", ["i-0", "i-2"])
def test_a_utf_8_file_with_an_invalid_byte_is_refused_and_not_decoded_as_gb18030(
    run_import: RunImport, url: str, bad: bytes, first: str
) -> None:
    before = snapshot(url)
    rows = [row(f"i-{number}", name=f"{NAME} {number}") for number in range(3)]
    text = csv_of(rows).encode().replace(f"{NAME} {first[-1]}".encode(), "云".encode() + bad)
    at = text.index("云".encode() + bad + b",")
    line, column = text[:at].count(b"\n") + 1, len("a,i-0,云") + 1
    result = run_import("instances", text)
    assert result.exit_code == 1
    assert result.stderr == (
        f"instances.csv: mostly UTF-8, but cannot be decoded as utf-8 at line {line}, column {column} "
        f"(byte {at + 4}). "
        "Correct the character or set --encoding.\n"
    )
    assert snapshot(url) == before


def test_a_gb18030_file_whose_first_bytes_are_valid_utf_8_is_decoded_as_gb18030(
    run_import: RunImport, url: str
) -> None:
    name = "通信服务器"
    assert name.encode("gb18030")[:2].decode() == "ͨ"
    assert counts(run_import("instances", csv_of([row("i-1", name=name)]).encode("gb18030"))) == (1, 0, 0, 0)
    assert read_value(url, "SELECT name FROM instances") == name


def test_a_file_in_no_supported_encoding_is_refused_with_the_line_and_the_byte(
    run_import: RunImport, url: str
) -> None:
    before = snapshot(url)
    text = csv_of([row(f"i-{number}") for number in range(3)]).encode()
    invalid = text.replace(b"i-2", b"\xff\xff\xff")
    result = run_import("instances", invalid)
    byte = invalid.index(b"\xff") + 1
    assert result.exit_code == 1
    assert result.stderr == (
        f"instances.csv: cannot be decoded as utf-8 at line 4, column 3 (byte {byte}), "
        f"nor as gb18030 at line 4, column 3 (byte {byte}). Set --encoding to the file's encoding.\n"
    )
    result_with_mark = run_import("instances", codecs.BOM_UTF8 + invalid)
    assert result_with_mark.stderr == (
        f"instances.csv: cannot be decoded as utf-8-sig at line 4, column 3 (byte {byte + 3}). "
        "Set --encoding to the file's encoding.\n"
    )
    assert snapshot(url) == before


def test_an_invalid_byte_beyond_the_first_block_is_reported_with_its_position(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.csv"
    for size in range(1, 9):
        monkeypatch.setattr(file_reader, "_BLOCK_BYTES", size)
        path.write_bytes("中文\n中".encode() + b"\xe4\xb8")
        with pytest.raises(file_reader.InvalidFileError, match=r"utf-8 at line 2, column 2 \(byte 11\)"):
            file_reader.inspect_file(path, "utf-8")
        path.write_bytes("中文\n\n中".encode())
        assert file_reader.inspect_file(path).line_count == 3


def test_a_file_with_a_line_of_too_many_characters_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_reader, "LINE_CHARACTERS_MAX", 50)
    path = tmp_path / "list.csv"
    for size in (7, 50):
        monkeypatch.setattr(file_reader, "_BLOCK_BYTES", size)
        path.write_text(f"{'x' * 50}\n{'x' * 50}\n")
        assert file_reader.inspect_file(path).line_count == 2
        path.write_text(f"{'x' * 50}\n{'x' * 51}\n")
        with pytest.raises(file_reader.InvalidFileError, match="line 2 has more than 50 characters"):
            file_reader.inspect_file(path)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["one", '"open'], "the quote that line 3 opens is not closed, so lines 3 to 3"),
        (["one", '"open', "two", "three"], "the quote that line 3 opens is not closed, so lines 3 to 5"),
        (
            ["one", '"open', "two", '"three"', "four"],
            "the quote that line 3 opens is not closed, so lines 3 to 5",
        ),
        (
            ['"two\nlines, ""one"" row","open', "two"],
            "the quote that line 3 opens is not closed, so lines 2 to 4",
        ),
        (['"open', *["x" * 1_000] * 140], "the quote that line 2 opens is not closed, so lines 2 to 129"),
    ],
)
def test_a_file_with_an_unclosed_quote_is_refused_before_any_row_is_written(
    run_import: RunImport, url: str, names: list[str], message: str
) -> None:
    before = snapshot(url)
    result = run_import(
        "instances", csv_of([row(f"i-{number}", name=name) for number, name in enumerate(names)])
    )
    assert result.exit_code == 1
    assert result.stderr.startswith(f"instances.csv: {message} are not valid CSV: ")
    assert result.stdout == ""
    assert snapshot(url) == before


def test_a_wrong_quote_causes_the_refusal_of_only_its_line(run_import: RunImport) -> None:
    result = run_import(
        "instances", csv_of([row("i-1", name='5" disk'), row("i-2", name='"a"b'), row("i-3")])
    )
    assert counts(result) == (2, 0, 0, 1)
    assert problems(result) == ["3: is not valid CSV: ',' expected after '\"'"]


def test_a_name_can_contain_a_comma_but_no_line_break_and_cannot_be_empty(
    run_import: RunImport, url: str
) -> None:
    result = run_import(
        "instances",
        csv_of([row("i-1", name='"One, two"'), row("i-2", name='"One\ntwo"'), row("i-3", name="")]),
    )
    assert counts(result) == (1, 0, 0, 2)
    assert [line[:8] for line in problems(result)] == ["3: name:", "5: name:"]
    assert read_value(url, "SELECT name FROM instances") == "One, two"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (f"{INSTANCES},colour", "unknown column 'colour'"),
        (f"{INSTANCES},name", "column 'name' is repeated"),
        (INSTANCES.replace("monthlyPrice,", ""), "required column 'monthlyPrice' is missing"),
        (
            f"{INSTANCES},configuration,configuration.CPU",
            "columns 'configuration' and 'configuration.CPU' cannot be combined",
        ),
        (INSTANCES.replace(",", ";"), "required column 'id' is missing"),
    ],
)
def test_a_file_with_an_invalid_header_is_refused_before_any_row_is_written(
    run_import: RunImport, url: str, head: str, reason: str
) -> None:
    before = snapshot(url)
    result = run_import("instances", f"{head}\na,i-1,I,eip,bj-6,1.00,2099-01-31\n")
    assert result.exit_code == 1
    assert result.stderr.startswith("instances.csv: line 1: ")
    assert reason in result.stderr
    assert snapshot(url) == before


def test_a_file_without_a_header_or_with_an_unknown_suffix_is_refused(
    run_import: RunImport, renewals: Renewals
) -> None:
    assert run_import("instances", "").stderr == "instances.csv: the header is missing\n"
    assert (
        run_import("instances", "", name="list.xlsx").stderr
        == "list.xlsx: the name must end in .csv or .jsonl\n"
    )
    assert counts(run_import("instances", f"{INSTANCES}\n")) == (0, 0, 0, 0)
    assert counts(run_import("instances", "", name="list.jsonl")) == (0, 0, 0, 0)
    assert renewals("import", "instances", "nowhere.csv", DATABASE_URL="postgres://x/y").exit_code == 2


def test_the_help_lists_each_kind_of_import_and_its_options(renewals: Renewals) -> None:
    for kind in ("accounts", "instances", "catalogue", "vouchers"):
        result = renewals("import", kind, "--help")
        assert result.exit_code == 0
        assert all(option in result.output for option in ("--dry-run", "--errors", "--encoding"))
        assert kind in renewals("import", "--help").output
