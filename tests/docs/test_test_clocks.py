"""The operations and the command of docs/test-clocks.md have the documented effects."""

import asyncio
import re
from pathlib import Path

from renewals.demo import loader
from tests.docs import pages
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

PAGE = Path(__file__).parents[2] / "docs" / "test-clocks.md"
GRAPHQL = re.compile(r"^```graphql\n(.*?)^```$", re.MULTILINE | re.DOTALL)


async def test_an_operator_creates_a_test_account_and_its_customer_moves_the_clock(
    world: World, operator: Operator, graphql: Client
) -> None:
    create, advance = GRAPHQL.findall(PAGE.read_text(encoding="utf-8"))
    account = (await operator(create))["createAccount"]["account"]
    stands_at = "2027-01-15T02:00:00+00:00"
    assert account == {"id": "test-1", "testClock": stands_at, "autoRenewFrom": stands_at}
    await world.instance("i-1", account="test-1", expires="2027-01-31")
    graphql.key = await world.key("test-1")
    moved = (await graphql(advance))["advanceTestClock"]
    assert moved["account"] == {"testClock": "2027-02-15T02:00:00+00:00", "balance": "0.00"}
    assert (moved["expiredCount"], moved["releasedCount"]) == (1, 1)
    assert moved["events"][-1]["type"] == "instance.released"


async def test_the_command_moves_the_clock_of_the_demo_account(
    world: World, database_url: str, tmp_path: Path
) -> None:
    [script] = pages.SHELL_BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    await world.load_demo()
    short_way = script.replace("2027-02-15T10:00", "2027-01-15T20:00")
    output = await asyncio.wait_for(pages.run_script(short_way, tmp_path, DATABASE_URL=database_url), 60)
    assert output.splitlines()[-1].startswith(
        f"the clock of {loader.ACCOUNT_ID} moved from 2027-01-15T10:00+08:00 to "
    )
