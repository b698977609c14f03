"""`make costs`: the processor time of requests on a large account, compared with their query cost."""

import argparse
import asyncio
import os

from graphql_api.devserver import services
from renewals.db import connection as database
from renewals.db import migrate
from tests.costs import operations, stage
from tests.support.fixtures import World

INSTANCES = 20_000


async def measure(url: str, instances: int) -> list[tuple[str, stage.Usage]]:
    """Measure every operation on the empty database at `url`, with an account of `instances` instances."""
    await migrate.migrate(url)
    async with database.connect(url):
        world = World()
        await world.put_catalogue()
        async with stage.opened(world, instances) as opened:
            return [
                (operation.name, await opened.measure(operation, seconds_min=0.3, rounds_max=100))
                for operation in operations.operations(instances)
            ]


def table(measured: list[tuple[str, stage.Usage]]) -> str:
    """Return the measurements as a table, with the slowest per cost unit first."""
    page = next(usage.seconds_per_million for name, usage in measured if name == operations.PAGE)
    lines = [f"{'':32} {'cost':>10} {'ms':>9} {'in PostgreSQL':>13} {'s a million':>11} {'pages':>6}"]
    for name, usage in sorted(measured, key=lambda row: -row[1].seconds_per_million):
        lines.append(
            f"{name:32} {usage.cost:10,.0f} {1_000 * usage.seconds:9.2f} {1_000 * usage.database_seconds:13.2f}"
            f" {usage.seconds_per_million:11.2f} {usage.seconds_per_million / page:6.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=INSTANCES)
    instances = parser.parse_args().instances
    url = os.environ.pop("DATABASE_URL", None)
    if url is not None:
        print(table(asyncio.run(measure(url, instances))))  # noqa: T201
        return
    with services.Postgres(durable=False) as server:
        print(table(asyncio.run(measure(server.url, instances))))  # noqa: T201


if __name__ == "__main__":
    main()
