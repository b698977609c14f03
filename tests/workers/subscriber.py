"""A subscriber that can be killed at any time. It stores each event, and resumes after the last stored one.

python -m tests.workers.subscriber URL FOLDER KEY...
"""

import asyncio
import sys
from pathlib import Path

import orjson
import websockets

QUERY = "subscription ($after: Int) { events(after: $after) { sequence type instanceId } }"


def read_stored_events(file: Path) -> list[dict[str, object]]:
    """Return the stored events, without an incomplete last line."""
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    return [orjson.loads(line) for line in lines if line.endswith(b"\n")]


def resume(file: Path) -> int:
    """Return the number of the last stored event, and drop an incomplete line."""
    events = read_stored_events(file)
    file.write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    return int(str(events[-1]["sequence"])) if events else 0


async def follow(url: str, key: str, file: Path) -> None:
    after = resume(file)
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with websockets.connect(url, subprotocols=[protocol]) as client:
        credentials = {"Authorization": f"Bearer {key}"}
        await client.send(orjson.dumps({"type": "connection_init", "payload": credentials}).decode())
        await client.recv()
        payload = {"query": QUERY, "variables": {"after": after}}
        await client.send(orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode())
        with file.open("ab", buffering=0) as output:
            async for message in client:
                output.write(orjson.dumps(orjson.loads(message)["payload"]["data"]["events"]) + b"\n")


async def main(url: str, folder: str, *keys: str) -> None:
    async with asyncio.TaskGroup() as group:
        for number, key in enumerate(keys):
            group.create_task(follow(url, key, Path(folder) / f"{number}.jsonl"))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
