"""A GraphQL client for tests: the real application, over HTTP as ASGI speaks it, on a clock that a test sets."""

import datetime as dt
from typing import Any

import httpx2

from graphql_api import app
from tests.support import fixtures

URL = "http://testserver/graphql"


class Client:
    """Asks as one account; `now` is what the application takes for the time."""

    url = URL

    def __init__(self) -> None:
        self.now = fixtures.NOW
        self.key: str | None = None
        # The pool is the test's own, already open, so the application's lifespan is left out.
        transport = httpx2.ASGITransport(app=app.create(clock=lambda: self.now))
        self.http = httpx2.AsyncClient(transport=transport)

    def at(self, now: dt.datetime) -> None:
        """Sets the application's clock."""
        self.now = now

    async def post(self, query: str, /, **variables: Any) -> httpx2.Response:
        """The raw answer."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return await self.http.post(self.url, json={"query": query, "variables": variables}, headers=headers)

    async def __call__(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = (await self.post(query, **variables)).json()
        assert not answer.get("errors"), answer["errors"]
        return dict(answer["data"])

    async def errors(self, query: str, /, **variables: Any) -> list[dict[str, Any]]:
        """The errors of an answer that has some."""
        answer = (await self.post(query, **variables)).json()
        assert answer["errors"]
        return list(answer["errors"])
