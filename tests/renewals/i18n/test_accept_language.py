"""The language of a request by its header Accept-Language (rule 27)."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.domain.model import Language
from renewals.i18n import accept_language

ZH, EN = Language.ZH, Language.EN


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh", ZH),
        ("zh-CN", ZH),
        ("zh-TW", ZH),
        ("ZH-hant-hk", ZH),
        ("zh-CN,zh;q=0.9,en;q=0.8", ZH),
        ("en-US,en;q=0.9,zh-CN;q=0.8", EN),
        ("en;q=0.5, zh;q=0.6", ZH),
        ("en, zh", EN),
        ("zh, en", ZH),
        ("fr, de;q=0.9, zh;q=0.1", ZH),
        ("fr, *;q=0.5, zh;q=0.1", EN),
        ("*", EN),
        ("*, en;q=0", ZH),
        ("zh;q=0", EN),
        ("zh;q=0, en;q=0", EN),
        ("zh;q=0, zh-CN", ZH),
        ("fr", EN),
        ("zhuang", EN),
    ],
)
def test_the_preferred_known_language_is_chosen(header: str, language: Language) -> None:
    assert accept_language.negotiate(header) is language


@pytest.mark.parametrize(
    "header",
    ["", " ", ",", ";;;", "zh;q=", "zh;q=two", "zh;q=2", "zh;q=-1", "zh;q=nan", "zh;level=1", "z" * 10_000],
)
def test_a_malformed_header_results_in_english(header: str) -> None:
    assert accept_language.negotiate(header) is EN


def test_a_header_longer_than_the_bound_is_ignored() -> None:
    assert accept_language.negotiate("zh," * accept_language.HEADER_CHARACTERS_MAX) is EN


@pytest.mark.parametrize("header", ["", "*", "fr", "fr, *;q=0.5", "z" * 10_000])
def test_a_header_without_chinese_and_english_has_no_preferred_language(header: str) -> None:
    assert accept_language.find_preferred(header) is None


@pytest.mark.parametrize("header", ["en", "en;q=0.1, fr", "zh;q=0, en"])
def test_a_header_with_english_as_its_only_known_language_prefers_english(header: str) -> None:
    assert accept_language.find_preferred(header) is EN


@given(st.text())
def test_any_header_results_in_a_known_language(header: str) -> None:
    assert accept_language.negotiate(header) in Language


async def test_a_task_keeps_the_language_of_the_request_that_started_it() -> None:
    async def read() -> Language:
        await asyncio.sleep(0)
        return accept_language.current()

    async def serve(language: Language) -> Language:
        accept_language.set_current(language)
        return await asyncio.create_task(read())

    chinese, english = asyncio.create_task(serve(ZH)), asyncio.create_task(serve(EN))
    assert [await chinese, await english, accept_language.current()] == [ZH, EN, EN]
