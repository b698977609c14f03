"""The report of an import is in Chinese or English; the imported rows do not depend on the language (rule 27)."""

import re

from tests.renewals.imports.conftest import RunImport, csv_of, row


def test_the_report_of_an_import_is_in_chinese_with_the_option_lang_zh(run_import: RunImport) -> None:
    result = run_import("instances", csv_of([row("i-1"), row("i-2", expiresOn="soon")]), "--lang", "zh")
    assert result.exit_code == 1
    assert re.fullmatch(r"共 2 行：新建 1，更新 0，未变 0，未导入 1；utf-8，[\d,]+ 行/秒\n", result.stdout), (
        result.stdout
    )
    assert result.stderr == (
        "instances.csv:3: expiresOn: 'soon': 日期须真实存在，且为 ISO 8601 格式，例如 \"2026-11-23\"\n"
    )


def test_the_summary_of_a_dry_run_is_in_chinese_with_the_option_lang_zh(run_import: RunImport) -> None:
    result = run_import("instances", csv_of([row("i-1")]), "--lang", "zh", "--dry-run")
    first, last = result.stdout.splitlines()
    assert first.startswith("共 1 行：将新建 1，将更新 0，未变 0，无法导入 0；")
    assert last == "试运行：未写入任何数据。"


def test_a_file_with_an_invalid_header_is_refused_in_english_and_in_chinese(run_import: RunImport) -> None:
    text = "id,faceValue,id,x\nv-1,1.00,v-1,1\n"
    chinese = run_import("vouchers", text, "--lang", "zh")
    english = run_import("vouchers", text)
    assert (chinese.exit_code, english.exit_code) == (1, 1)
    assert chinese.stderr.startswith(
        "vouchers.csv：第 1 行：列“x”不存在；列“id”重复；缺少必填列“accountId”；"
    )
    assert english.stderr.startswith(
        "vouchers.csv: line 1: unknown column 'x'; column 'id' is repeated; required column 'accountId' is missing; "
    )
    names = {text.rpartition("：")[2].replace("、", ", ") for text in (chinese.stderr,)}
    assert names == {english.stderr.rpartition(": ")[2]}


def test_an_undecodable_file_is_refused_in_chinese(run_import: RunImport) -> None:
    result = run_import("vouchers", b"id\n\xff\xff\n", "--lang", "zh")
    assert result.stderr == (
        "vouchers.csv：有字符无法解码：utf-8（第 2 行第 1 列，第 4 字节），"
        "gb18030（第 2 行第 1 列，第 4 字节）。请将 --encoding 设为该文件的编码。\n"
    )
