"""Receive the webhooks of Renewals, and extend the machines of a simulated cloud.

    pip install starlette uvicorn standardwebhooks
    WEBHOOK_SECRET=whsec_... uvicorn consumer:app --port 9000

Each message is processed once, even if it arrives twice. A late message never shortens the life of a machine.
"""

import os
import sqlite3

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

webhook = Webhook(os.environ["WEBHOOK_SECRET"])
cloud = sqlite3.connect(os.environ.get("CLOUD", "cloud.db"), isolation_level=None)
cloud.executescript("""
    CREATE TABLE IF NOT EXISTS machines (id TEXT PRIMARY KEY, lives_until TEXT, sequence INTEGER);
    CREATE TABLE IF NOT EXISTS taken (webhook_id TEXT PRIMARY KEY)
""")
EXTENDING = {"instance.renewed", "expiry.unified"}


async def receive(request: Request) -> Response:
    """Process a message and return 204, also for a repeated message; return 401 if its signature is wrong."""
    try:
        message = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError:
        return Response(status_code=401)
    event = message["data"]
    with cloud:  # stores the change and the record of the message in one transaction
        cloud.execute("BEGIN IMMEDIATE")
        seen = cloud.execute("INSERT OR IGNORE INTO taken VALUES (?)", [request.headers["webhook-id"]])
        if seen.rowcount and message["type"] in EXTENDING:
            extend(event["instanceId"], event["payload"]["expiresAt"], event["sequence"])
    return Response(status_code=204)


def extend(machine_id: str, lives_until: str, sequence: int) -> None:
    """Extend a machine, unless a later message has already changed it. Call your cloud here instead."""
    cloud.execute(
        """INSERT INTO machines VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE
           SET lives_until = excluded.lives_until, sequence = excluded.sequence
           WHERE excluded.sequence > machines.sequence""",
        [machine_id, lives_until, sequence],
    )


async def machines(_: Request) -> Response:
    return JSONResponse(dict(cloud.execute("SELECT id, lives_until FROM machines").fetchall()))


app = Starlette(routes=[Route("/", receive, methods=["POST"]), Route("/machines", machines)])
