"""The lower bound without GraphQL: one hand-written endpoint, fixed SQL, one connection a request."""

import datetime as dt
import functools

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.peers import store


async def instances(request: Request) -> Response:
    variables = orjson.loads(await request.body())["variables"]
    conditions = variables["filter"]
    async with store.pool.acquire() as connection:
        account_id = await connection.fetchval(store.ACCOUNT, store.secret_hash(request))
        if account_id is None:
            raise HTTPException(401)
        window = [dt.datetime.fromisoformat(conditions[name]) for name in ("expiresFrom", "expiresBefore")]
        total = await connection.fetchval(store.COUNT, account_id, conditions["tab"], *window)
        rows = await connection.fetch(store.PAGE, account_id, conditions["tab"], *window, variables["first"])
    data = {"instances": {"totalCount": total, "nodes": [store.node(row) for row in rows]}}
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def _keep(_: object) -> None:
    """Skip the reset, because the endpoint changes no session state; this saves a round trip."""


app = Starlette(
    routes=[Route("/graphql", instances, methods=["POST"])],
    lifespan=functools.partial(store.opened, reset=_keep),
)
