"""Search by id, name and configuration values, and its plan for an account of 50,000 instances (rule 4)."""

import re

import pytest

from renewals.db import connection as database
from renewals.instances import filters
from tests.support.fixtures import NOW, World

FILL = """INSERT INTO instances (id, account_id, name, product_code, data_center_code, configuration, billing_mode,
    is_trial, status, renewal_mode, auto_renew_months, expires_at, anchor_day, monthly_price_cents, created_at)
  SELECT $1 || '-' || n, $1, 'Server ' || n, 'kec', 'bj-6', '[]', 'PREPAID', false, 'RUNNING', 'MANUAL', 1,
    $2::timestamptz + n % 365 * interval '1 day', 1, 100, $2 FROM generate_series(1, 50000) n"""
TEXTS = """INSERT INTO search_texts (account_id, instance_id, text)
  SELECT account_id, id, id || chr(31) || lower(name) || chr(31) || CASE n % 6 WHEN 0 THEN 'bgp' ELSE 'cn2' END
    || chr(31) || '10.' || n % 200 || '.' || n / 200 || '.7' FROM (
      SELECT *, split_part(name, ' ', 2)::int AS n FROM instances) i"""


async def find(search: str) -> list[str]:
    conditions = filters.build_conditions("a", filters.InstanceFilter(search=search), NOW)
    rows = await database.fetch(
        database.pool(),
        f"SELECT i.id FROM instances i WHERE {conditions.where} ORDER BY i.id",
        *conditions.values,
    )
    return [row["id"] for row in rows]


async def explain(search: str) -> str:
    """Return the plan of a page in the order of expiry."""
    conditions = filters.build_conditions("a", filters.InstanceFilter(search=search), NOW)
    rows = await database.fetch(
        database.pool(),
        f"""EXPLAIN (COSTS OFF) SELECT i.id FROM instances i WHERE {conditions.where}
            ORDER BY {filters.EXPIRY}, i.id LIMIT 11""",
        *conditions.values,
    )
    return "\n".join(row[0] for row in rows)


@pytest.fixture
async def filled(world: World) -> World:
    await world.account("a")
    await world.account("b")
    await world.instance("i-1", name="门户 Web", configuration={"链路": "BGP", "地址": "10.1.2.3"})
    await world.instance("i-2", configuration={"链路": "电信单线", "地址": "10.1.2.33", "域名": "ÉCLAIR_x%y"})
    await world.instance("theirs", account="b", configuration={"链路": "BGP"})
    return world


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("BGP", "i-1"),
        ("bgp", "i-1"),
        ("10.1.2.3", "i-1 i-2"),
        ("10.1.2.33", "i-2"),
        ("电信", "i-2"),
        ("线", "i-2"),
        ("éclair_X%", "i-2"),
        ("_x", "i-2"),
        ("x_y", ""),
        ("链路", ""),
        ("I-2", "i-2"),
        ("web", "i-1"),
        ("BGP10", ""),
        ("BGP\x1f10", ""),
        ("BGP\0", ""),
        ("\ud800", ""),
        ("", "i-1 i-2"),
    ],
)
async def test_a_search_finds_ids_names_and_values_of_the_configuration(
    filled: World, search: str, ids: str
) -> None:
    assert await find(search) == ids.split()


async def test_a_changed_name_or_configuration_is_found_and_the_former_is_not(filled: World) -> None:
    await filled.instance("i-1", name="New", configuration={"链路": "CN2"})
    assert (await find("CN2"), await find("new")) == (["i-1"], ["i-1"])
    assert (await find("BGP"), await find("门户")) == ([], [])


async def test_a_new_price_neither_writes_nor_locks_the_search_text(filled: World) -> None:
    # A new version of a row has another ctid and xmin; a lock sets xmax.
    version = "SELECT ctid, xmin::text, xmax::text FROM search_texts WHERE instance_id = 'i-2'"
    before = await filled.row(version)
    await filled.instance(
        "i-2", price="777.00", configuration={"链路": "电信单线", "地址": "10.1.2.33", "域名": "ÉCLAIR_x%y"}
    )
    assert await filled.value("SELECT monthly_price_cents FROM instances WHERE id = 'i-2'") == 777_00
    assert await filled.row(version) == before
    assert before[2] == "0"


@pytest.fixture
async def large_accounts(world: World) -> World:
    """Return two accounts with 50,000 instances each."""
    for account_id in ("a", "b"):
        await world.account(account_id)
        await database.execute(database.pool(), FILL, account_id, NOW)
    await database.execute(database.pool(), TEXTS)
    for table in ("instances", "search_texts"):
        await database.execute(database.pool(), f"ANALYZE {table}")
    return world


async def test_a_search_in_50000_instances_uses_the_trigram_index_unless_the_term_is_short(
    large_accounts: World,
) -> None:
    for search in ("10.17.200.7", "server 4711", "电信", "京"):
        plan = await explain(search)
        assert re.search(r"Bitmap Index Scan on search_texts_trigrams\n.*account_id = .*text ~~", plan), plan
    plan = await explain("zq")
    assert not re.search(r"Index Cond: .*text ~~", plan), plan
    assert "account_id = 'a'" in plan, plan
    assert await find("10.17.200.7") == ["a-40017"]
