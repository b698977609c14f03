"""No GraphQL at all: the same answer by hand, one endpoint, fixed SQL, one connection a request."""

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
    chosen = variables["filter"]
    async with store.pool.acquire() as connection:
        account_id = await connection.fetchval(store.ACCOUNT, store.secret_hash(request))
        if account_id is None:
            raise HTTPException(401)
        window = [dt.datetime.fromisoformat(chosen[name]) for name in ("expiresFrom", "expiresBefore")]
        total = await connection.fetchval(store.COUNT, account_id, chosen["tab"], *window)
        rows = await connection.fetch(store.PAGE, account_id, chosen["tab"], *window, variables["first"])
    data = {"instances": {"totalCount": total, "nodes": [store.node(row) for row in rows]}}
    return Response(orjson.dumps({"data": data}), media_type="application/json")


async def _keep(_: object) -> None:
    """Nothing to reset: the endpoint leaves nothing on a connection, and the round trip can be saved."""


app = Starlette(
    routes=[Route("/graphql", instances, methods=["POST"])],
    lifespan=functools.partial(store.opened, reset=_keep),
)
