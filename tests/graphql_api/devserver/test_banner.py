"""The last lines of `renewals up` have the same addresses and keys in both languages."""

from pathlib import Path

import pytest

from graphql_api.devserver import banner
from renewals import config
from renewals.domain.model import Language

ENVIRONMENT = {"DATABASE_URL": "postgres://here/db", "REDIS_URL": "redis://here", "RENEWALS_PORT": "8001"}


def build(language: Language, demo_key: str | None = "demo-key") -> str:
    settings = config.Settings(port=8000, data_dir=Path("data"))
    keys = banner.Keys(demo_key, "operator-key")
    return banner.build_banner("http://here:8001", keys, ENVIRONMENT, settings, [Path("data")], language)


@pytest.mark.parametrize(
    ("language", "sentences"),
    [
        (
            Language.EN,
            [
                "Open http://here:8001/ in a browser (port 8000 was taken): the console has the demo account's key",
                "\nOperator key          operator-key\n",
                "\nNext, follow docs/tutorial.md. In another shell, run `. data/env` to set variables",
                "remove the data with `rm -r data`, and start Renewals again.\nCtrl-C stops everything.\n",
            ],
        ),
        (
            Language.ZH,
            [
                "请在浏览器中打开 http://here:8001/（端口 8000 已占用），",
                "\n运营方密钥           operator-key\n",
                "接下来请参阅 docs/zh/tutorial.md。在另一个终端中，可用 `. data/env` ",
                "`rm -r data`",
                "\n按 Ctrl-C 停止全部服务。\n",
            ],
        ),
    ],
)
def test_the_banner_is_in_the_language_of_the_command(language: Language, sentences: list[str]) -> None:
    text = build(language)
    assert [sentence for sentence in sentences if sentence not in text] == []


def test_the_banner_without_a_demo_account_has_no_demo_key_and_no_command_that_deletes_data() -> None:
    for language in Language:
        text = build(language, demo_key=None)
        assert "None" not in text
        assert "rm -r" not in text
        assert "renewals demo" in text
