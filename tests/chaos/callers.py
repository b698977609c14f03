"""An API client that retries with the same key until it receives a response."""

import asyncio
import datetime as dt
import time
from collections.abc import Sequence
from typing import Any

import httpx2

from renewals.domain import dates
from tests.chaos.work import Batch, Work
from tests.support import customer

ANSWER_SECONDS_MAX = 30


class NoAnswerError(Exception):
    """The call got no response, or one with the code INTERNAL or UNAVAILABLE."""


class Caller:
    """A client of one account."""

    def __init__(self, api_key: str) -> None:
        self.headers = {"Authorization": f"Bearer {api_key}"}

    async def ask(self, url: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the result of a mutation. Raises NoAnswerError."""
        async with httpx2.AsyncClient(
            headers=self.headers, timeout=ANSWER_SECONDS_MAX, trust_env=False, verify=False
        ) as http:
            try:
                response = await http.post(url, json={"query": document, "variables": {"input": variables}})
                result = response.json()
            except (httpx2.TransportError, ValueError) as lost:
                raise NoAnswerError from lost
        if result.get("errors"):
            assert result["errors"][0]["extensions"]["code"] in ("INTERNAL", "UNAVAILABLE"), result
            raise NoAnswerError
        return dict(result["data"]["result"])

    async def ask_until_answered(self, url: str, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Retry a mutation until a response comes, and return its result. Raises NoAnswerError after 30 s."""
        deadline = time.monotonic() + ANSWER_SECONDS_MAX
        while True:
            try:
                return await self.ask(url, document, variables)
            except NoAnswerError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.02)


class Purchase:
    """A batch of one account, the account's client, and a mutation that extends the batch by one month."""

    def __init__(self, caller: Caller, document: str, variables: dict[str, Any], batch: Batch) -> None:
        self.caller, self.document, self.given, self.batch = caller, document, variables, batch

    async def made(self, url: str) -> dict[str, Any]:
        """Send the mutation once."""
        return await self.caller.ask(url, self.document, self.given)

    async def repeated(self, url: str) -> dict[str, Any]:
        """Retry the mutation until a response comes."""
        return await self.caller.ask_until_answered(url, self.document, self.given)


async def purchase(work: Work, *, unify: bool = False) -> Purchase:
    """Create an account with a purchase: a renewal or a unification, which both cost one month's price."""
    batch = await work.put(1, expires_in_days=30, mode="MANUAL")
    [account] = batch.accounts
    caller = Caller(await work.world.key(account))
    selection: dict[str, Sequence[str]] = {"ids": batch.ids}
    variables: dict[str, Any] = {
        "selection": selection,
        "bundles": "WHOLE",
        "idempotencyKey": f"key-{account}",
    }
    if not unify:
        return Purchase(caller, customer.RENEW, variables | {"months": 1}, batch)
    day = dt.date.fromisoformat(work.day(30))
    target = {"date": dates.add_months(day.day, day, 1).isoformat()}
    return Purchase(caller, customer.UNIFY, variables | {"target": target}, batch)
