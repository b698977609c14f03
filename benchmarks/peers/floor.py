"""The floor: a server without GraphQL, with one hand-written endpoint, fixed SQL and fixed fields.

It checks only the API key. Like every contender, it looks up the key in the database; like all of them except
PostGraphile, it logs each request.
"""

import asyncio
import contextlib
import datetime as dt
import sys
import time
from collections.abc import AsyncIterator

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers import store

LOG_SECONDS = 0.1


class RequestLog:
    """A log with one line of JSON per request; the lines of LOG_SECONDS are written together."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def add(self, account_id: str, started: float, length: int) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(LOG_SECONDS, self.write)
        line = {
            "timestamp": dt.datetime.now(dt.UTC),
            "event": "request",
            "account": account_id,
            "status": 200,
            "bytes": length,
            "ms": (time.perf_counter() - started) * 1e3,
        }
        self._lines.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def write(self) -> None:
        sys.stdout.buffer.write(b"".join(self._lines))
        sys.stdout.buffer.flush()
        self._lines.clear()


request_log = RequestLog()


async def instances(request: Request) -> Response:
    started = time.perf_counter()
    variables = orjson.loads(await request.body())["variables"]
    conditions = variables["filter"]
    async with store.pool.acquire() as connection:
        account_id = await connection.fetchval(store.ACCOUNT, store.secret_hash(request))
        if account_id is None:
            raise HTTPException(401)
        window = [dt.datetime.fromisoformat(conditions[name]) for name in ("expiresFrom", "expiresBefore")]
        rows = await connection.fetch(store.PAGE, account_id, conditions["tab"], *window, variables["first"])
    nodes = [
        {
            "id": id_,
            "name": name,
            "billingMode": billing_mode,
            "isTrial": is_trial,
            "status": status,
            "renewalMode": renewal_mode,
            "autoRenewMonths": auto_renew_months,
            "expiresAt": expires_at,
            "monthlyPrice": f"{cents // 100}.{cents % 100:02}",
            "createdAt": created_at,
            "product": {"name": product_name},
            "dataCenter": {"name": data_center_name},
        }
        for (
            id_, name, billing_mode, is_trial, status, renewal_mode, auto_renew_months, expires_at, cents, created_at,
            product_name, data_center_name, _,
        ) in rows
    ]  # fmt: skip
    data = {"instances": {"totalCount": rows[0]["total"] if rows else 0, "nodes": nodes}}
    body = orjson.dumps({"data": data})
    request_log.add(account_id, started, len(body))
    return Response(body, media_type="application/json")


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with store.opened(app):
        yield
    request_log.write()


app = Starlette(routes=[Route("/graphql", instances, methods=["POST"])], lifespan=lifespan)
