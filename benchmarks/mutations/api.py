"""The project as a contender: its process, its requests, and its round trips to PostgreSQL."""

import asyncio
import sys
import time
from collections.abc import Sequence
from typing import Any
from unittest import mock

import httpx2

from benchmarks import client
from benchmarks.mutations import filling
from graphql_api import app
from renewals.db import connection as database
from renewals.db import pool

MUTATION = """mutation ($input: RenewInstancesInput!) { renewInstances(input: $input) {
  __typename
  ... on RenewInstancesSuccess { order { id total } account { balance } instances { id status expiresAt } }
} }"""
SUCCESS = b'"RenewInstancesSuccess"'


def command(port: int) -> Sequence[str]:
    return (sys.executable, "-m", "graphql_api", "serve", "--port", str(port))


def _variables(renewal: filling.Renewal) -> dict[str, Any]:
    return {
        "input": {"selection": {"ids": [renewal.instance_id]}, "months": 1, "idempotencyKey": renewal.key}
    }


class Loop:
    """Clients that each send a renewal after the previous response. `accounts` lists each client's account number."""

    def __init__(self, port: int, keys: Sequence[str], accounts: Sequence[int], seconds: float) -> None:
        self.port, self.keys, self.seconds = port, keys, seconds
        self.renewals = [
            (account, filling.renewals(account, number, len(accounts)))
            for number, account in enumerate(accounts)
        ]
        self.count = 0

    async def run(self) -> tuple[int, float]:
        """Send renewals for `seconds`; return their number, and the seconds until the last response.

        Raises ExceptionGroup with an UnexpectedAnswerError if a renewal fails.
        """
        started = time.perf_counter()
        self.until = started + self.seconds
        async with asyncio.TaskGroup() as group:
            for account, renewals in self.renewals:
                group.create_task(self._renew(account, renewals))
        return self.count, time.perf_counter() - started

    async def _renew(self, account: int, renewals: Any) -> None:
        answers: asyncio.Queue[client.Answer] = asyncio.Queue()
        connection = await client.connect(self.port, lambda _, answer: answers.put_nowait(answer), keep=True)
        while time.perf_counter() < self.until:
            connection.send(
                client.graphql_request("/graphql", self.keys[account], MUTATION, _variables(next(renewals)))
            )
            answer = await answers.get()
            if answer.status != 200 or SUCCESS not in answer.body:
                raise client.UnexpectedAnswerError(f"{answer.status} {answer.body[:500]!r}")
            self.count += 1
        connection.close()


async def count_round_trips(url: str, key: str) -> int:
    """Return the number of statements of one renewal in a warm process, including BEGIN and COMMIT."""
    statements = 0
    connection = pool.PooledConnection
    fetch, execute = connection.fetch, connection.execute

    async def count_fetch(self: Any, *values: Any, **options: Any) -> Any:
        nonlocal statements
        statements += 1
        return await fetch(self, *values, **options)

    async def count_execute(self: Any, *values: Any, **options: Any) -> Any:
        nonlocal statements
        statements += 1
        return await execute(self, *values, **options)

    renewals = filling.renewals(0, 0, 1)
    async with database.connect(url):
        transport = httpx2.ASGITransport(app=app.create())
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(transport=transport, headers=headers) as http:
            with mock.patch.multiple(connection, fetch=count_fetch, execute=count_execute):
                for _ in range(2):
                    statements = 0
                    body = {"query": MUTATION, "variables": _variables(next(renewals))}
                    response = await http.post("http://here/graphql", json=body)
                    assert SUCCESS in response.content, response.content
    return statements
