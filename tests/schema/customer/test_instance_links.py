"""Every row with an instance id has the field `instance`, read in one statement for any number of rows of a list."""

from collections import Counter

import pytest

from renewals.auto_renewal import renew
from tests.support import customer, sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

LINES = "lines(first: 1000) { instanceId instance { id name product { code } } listPrice discount price }"
QUOTE = f"""query ($ids: [ID!]!) {{ quoteRenewal(input: {{selection: {{ids: $ids}}, months: 12}}) {{ {LINES}
  refusals {{ instanceId instance {{ id }} }} }} }}"""
ORDERS = f"""{{ orders {{ nodes {{ {LINES} refunds {{ lines {{ instanceId instance {{ id }} }} }} }} }}
  instances {{ nodes {{ attempts {{ instanceId instance {{ id name }} }} }} }} }}"""
LOADED_BY_ID = "FROM instances i WHERE i.account_id = $1 AND i.id = ANY($2)"
SOURCES = 3
"""The number of lists with instances in `ORDERS`. Rows that arrive at different times are in different batches."""


@pytest.fixture
async def buyer(world: World, graphql: Client) -> customer.Buyer:
    return await customer.open_account(world, graphql, balance="90000.00")


async def test_a_quote_has_the_instances_of_its_lines_and_refusals(
    world: World, buyer: customer.Buyer
) -> None:
    await world.instance("i-1", name="网站", price="100.00")
    await world.instance("trial", trial=True)
    quote = (await buyer.client(QUOTE, ids=["i-1", "trial", "i-unknown"]))["quoteRenewal"]
    assert quote == {
        "lines": [
            {
                "instanceId": "i-1",
                "instance": {"id": "i-1", "name": "网站", "product": {"code": "eip"}},
                "listPrice": "1200.00",
                "discount": "204.00",
                "price": "996.00",
            }
        ],
        "refusals": [
            {"instanceId": "i-unknown", "instance": None},
            {"instanceId": "trial", "instance": {"id": "trial"}},
        ],
    }


async def test_the_instance_of_another_account_is_null_in_a_refusal(
    world: World, buyer: customer.Buyer
) -> None:
    await world.account("b")
    await world.instance("theirs", account="b")
    quote = (await buyer.client(QUOTE, ids=["theirs"]))["quoteRenewal"]
    assert quote["refusals"] == [{"instanceId": "theirs", "instance": None}]


async def test_lines_refunds_and_attempts_have_their_instances(world: World, buyer: customer.Buyer) -> None:
    statements, data = list[Counter[str]](), {}
    for number in range(2):
        ids = await world.instances([f"i-{number}-{n}" for n in range(1 + 5 * number)])
        renewed = await buyer.renew(ids, months=12, key=str(number))
        await world.refund(renewed["order"]["id"])
        await world.instances([f"auto-{number}"], mode="AUTO", expires="2027-01-31", price="1.00")
        await renew.run_at(world.at(f"2027-01-31 0{number}:30"))
        with sql_log.counted() as seen:
            data = await buyer.client(ORDERS)
        statements.append(Counter(seen))
    one_row, more_rows = statements
    assert more_rows.keys() <= one_row.keys()
    [statement_of_links] = [sql for sql in more_rows if " ".join(sql.split()).endswith(LOADED_BY_ID)]
    assert {sql: times for sql, times in more_rows.items() if times > 1 and sql != statement_of_links} == {}
    assert more_rows[statement_of_links] <= SOURCES
    for order in data["orders"]["nodes"]:
        for line in [*order["lines"], *(line for refund in order["refunds"] for line in refund["lines"])]:
            assert line["instance"]["id"] == line["instanceId"]
    attempts = [attempt for node in data["instances"]["nodes"] for attempt in node["attempts"]]
    assert len(attempts) == 2
    assert all(attempt["instance"]["id"] == attempt["instanceId"] for attempt in attempts)


async def test_a_line_has_its_list_price_and_its_discount(world: World, buyer: customer.Buyer) -> None:
    await world.instance("i-1", price="100.00")
    await buyer.renew(["i-1"], months=12)
    [order] = (await buyer.client(ORDERS))["orders"]["nodes"]
    [line] = order["lines"]
    assert (line["listPrice"], line["discount"], line["price"]) == ("1200.00", "204.00", "996.00")
