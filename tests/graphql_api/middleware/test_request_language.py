"""The language of error responses to requests that do not reach GraphQL (rule 27)."""

from typing import Any

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client

CHINESE = {"Accept-Language": "zh-CN"}


@pytest.mark.parametrize(
    ("header", "language", "message"),
    [
        ("zh-TW", "zh", "请求没有对此 API 有效的 API 密钥或令牌，请携带请求头 Authorization: Bearer <key>。"),
        (
            "en, zh;q=0.1",
            "en",
            (
                "The request has no API key or token that is valid for this API. "
                "Send the header Authorization: Bearer <key>."
            ),
        ),
        (
            None,
            "en",
            (
                "The request has no API key or token that is valid for this API. "
                "Send the header Authorization: Bearer <key>."
            ),
        ),
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/export/instances.csv"])
async def test_a_request_without_a_key_is_refused_in_its_language(
    world: World, graphql: Client, path: str, header: str | None, language: str, message: str
) -> None:
    response = await graphql.http.post(
        f"http://testserver{path}", json={}, headers={"Accept-Language": header} if header else {}
    )
    assert response.status_code == 401
    assert response.json()["errors"][0]["message"] == message
    assert response.headers["Content-Language"] == language
    assert "Accept-Language" in response.headers["Vary"]


async def test_requests_that_are_not_executed_are_refused_in_their_language(
    world: World, graphql: Client
) -> None:
    await world.account("a")
    headers = CHINESE | {"Authorization": f"Bearer {await world.key('a')}"}

    async def message(status: int, **request: Any) -> str:
        response = await graphql.http.request(url=graphql.url, headers=headers, **request)
        assert response.status_code == status
        return str(response.json()["errors"][0]["message"])

    assert await message(405, method="PUT") == "GraphQL 请求仅支持 POST 和 GET 方法。"
    assert await message(400, method="POST", json=[]) == "请求体须为单个 JSON 对象，不支持批量请求。"
    assert await message(400, method="POST", json={"query": 1}) == "字段 query 须为文本。"
    nested = "{a" * 200 + "}" * 200
    assert await message(400, method="POST", json={"query": nested}) == "查询文档最多嵌套 100 层"


async def test_an_invalid_argument_of_an_export_is_refused_in_the_language_of_the_request(
    world: World, graphql: Client
) -> None:
    await world.account("a")
    headers = CHINESE | {"Authorization": f"Bearer {await world.key('a')}"}
    response = await graphql.http.get("http://testserver/export/instances.csv?columns=x", headers=headers)
    error = response.json()["errors"][0]
    assert response.status_code == 400 and error["extensions"]["code"] == "INVALID_INPUT"
    assert error["message"].startswith("columns：列“x”不存在，可用的列：id、name、")
