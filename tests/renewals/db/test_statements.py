"""Several statements in one round trip: the values of queries, the written changes, and the plans."""

from renewals.db import connection as database
from renewals.db import statements
from tests.support import sql_log
from tests.support.fixtures import World


def numbers_up_to(count: int, *, is_large: bool = False) -> statements.Query[list[int]]:
    return statements.Query(
        "SELECT n, $2::text FROM generate_series(1, $1::int) AS n ORDER BY n DESC",
        [count, "unused"],
        lambda rows: [number for number, _ in rows],
        is_large,
    )


async def test_queries_fetched_together_are_one_statement_and_keep_their_values_and_orders(
    world: World,
) -> None:
    counts = [3, 0, 2, 1, 4, 5]  # two values each, so that placeholders reach $12
    with sql_log.noted() as seen:
        results = await statements.fetch_together(database.pool(), *map(numbers_up_to, counts))
    assert results == [list(range(count, 0, -1)) for count in counts]
    assert len(seen) == 1


async def test_a_large_query_is_a_separate_statement_and_its_result_keeps_its_position(world: World) -> None:
    with sql_log.noted() as seen:
        results = await statements.fetch_together(
            database.pool(), numbers_up_to(1), numbers_up_to(2, is_large=True), numbers_up_to(3)
        )
    assert results == [[1], [2, 1], [3, 2, 1]]
    assert len(seen) == 2


async def test_changes_are_one_statement_in_which_a_part_can_read_the_rows_of_an_earlier_part(
    world: World,
) -> None:
    async with database.transaction() as connection:
        await database.execute(connection, "CREATE TEMP TABLE written (number int, origin text)")
        with sql_log.noted() as seen:
            returned = await statements.execute_together(
                connection, insert_rows([1, 2], "first"), insert_rows([], "none"), insert_and_copy(3)
            )
        assert (len(seen), list(map(tuple, returned))) == (1, [(4,)])
        rows = await database.fetch(connection, "SELECT number, origin FROM written ORDER BY number, origin")
    assert list(map(tuple, rows)) == [(1, "first"), (2, "first"), (3, "chained"), (4, "chained")]


async def test_a_repeated_change_of_one_row_reuses_its_plan(world: World) -> None:
    change = statements.Change(
        {
            "moved": "UPDATE places p SET at = u.at FROM unnest($1::int[], $2::int[]) AS u(id, at) WHERE p.id = u.id"
        },
        [[7], [8]],
    )
    async with database.transaction() as connection:
        await database.execute(connection, "CREATE TEMP TABLE places (id int PRIMARY KEY, at int)")
        await database.execute(
            connection, "INSERT INTO places SELECT n, n FROM generate_series(1, 5000) AS n"
        )
        await database.execute(connection, "ANALYZE places")
        for _ in range(10):
            await statements.execute_together(connection, change)
        [plans] = await database.fetch(
            connection,
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE 'UPDATE places %'",
        )
    assert tuple(plans) == (5, 5)  # PostgreSQL compares the two kinds of plans after five executions


def insert_rows(numbers: list[int], origin: str) -> statements.Change:
    sql = "INSERT INTO written SELECT n, $2 FROM unnest($1::int[]) AS n"
    return statements.Change({f"written_{origin}": sql}, [numbers, origin])


def insert_and_copy(number: int) -> statements.Change:
    return statements.Change(
        {
            "made": "INSERT INTO written VALUES ($1, 'chained') RETURNING number",
            "copied": "INSERT INTO written SELECT number + 1, 'chained' FROM made RETURNING number",
        },
        [number],
    )
