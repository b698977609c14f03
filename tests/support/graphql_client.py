"""A GraphQL client for tests: it calls the real application in this process over ASGI, with a clock that tests set."""

import datetime as dt
from typing import Any

import httpx2

from graphql_api import app
from tests.support import fixtures

URL = "http://testserver/graphql"


class Client:
    """A client of one account; `now` is the application's clock."""

    url = URL

    def __init__(self) -> None:
        self.now = fixtures.NOW
        self.key: str | None = None
        self.language: str | None = None
        # The pool is the test's own and already open, so the application's lifespan is omitted.
        transport = httpx2.ASGITransport(app=app.create(clock=lambda: self.now))
        self.http = httpx2.AsyncClient(transport=transport)

    def at(self, now: dt.datetime) -> None:
        """Set the application's clock."""
        self.now = now

    async def post(self, query: str, /, **variables: Any) -> httpx2.Response:
        """Return the raw response."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        if self.language:
            headers["Accept-Language"] = self.language
        return await self.http.post(self.url, json={"query": query, "variables": variables}, headers=headers)

    async def __call__(self, query: str, /, **variables: Any) -> dict[str, Any]:
        """Return the data of a response without errors."""
        response = (await self.post(query, **variables)).json()
        assert not response.get("errors"), response["errors"]
        return dict(response["data"])

    async def errors(self, query: str, /, **variables: Any) -> list[dict[str, Any]]:
        """Return the errors of a response that has at least one."""
        response = (await self.post(query, **variables)).json()
        assert response["errors"]
        return list(response["errors"])
