"""`renewals clock` moves the clock of a test account."""

import datetime as dt
import json

import pytest

from renewals.db import connection as database
from tests.support.cli import Renewals, query
from tests.support.fixtures import NOW, World


@pytest.fixture
async def url(database_url: str) -> str:
    """Return a database with a test account and an account in real time."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a")
        await world.account("t", balance="500.00", test_clock=NOW)
        await world.instance("i-1", account="t", expires="2027-01-31", mode="AUTO", price="300.00")
    return database_url


def test_clock_moves_a_test_account_and_prints_its_progress_and_result(renewals: Renewals, url: str) -> None:
    done = renewals("clock", "t", "--to", "2027-02-01T10:00", DATABASE_URL=url)
    assert done.exit_code == 0, done.output
    [last] = [line for line in done.stdout.splitlines() if " moved from " in line]
    assert last == (
        "the clock of t moved from 2027-01-10T12:00+08:00 to 2027-02-01T10:00+08:00: "
        "1 renewed, 0 refused, 0 expired, 0 released; events: 2"
    )
    assert "2027-01-31T00:30+08:00" in done.stderr.splitlines()
    assert query(url, "SELECT test_clock FROM accounts WHERE id = 't'") == [
        (dt.datetime(2027, 2, 1, 2, tzinfo=dt.UTC),)
    ]


def test_json_output_has_the_instants_and_counts_of_the_move(renewals: Renewals, url: str) -> None:
    done = renewals("clock", "t", "--to", "2027-02-01T10:00+08:00", "--json", DATABASE_URL=url)
    assert json.loads(done.stdout) == {
        "account": "t", "from": "2027-01-10T04:00:00+00:00", "to": "2027-02-01T02:00:00+00:00",
        "renewedCount": 1, "refusedCount": 0, "expiredCount": 0, "releasedCount": 0, "eventCount": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("account", "to", "problem"),
    [
        ("a", "2027-02-01T10:00", "The account has no test clock"),
        ("nobody", "2027-02-01T10:00", "ACCOUNT: there is no account 'nobody'"),
        ("t", "2027-01-01T10:00", "--to: must be after 2027-01-10T04:00:00+00:00"),
    ],
)
def test_an_invalid_move_is_refused_with_its_reason(
    renewals: Renewals, url: str, account: str, to: str, problem: str
) -> None:
    done = renewals("clock", account, "--to", to, DATABASE_URL=url)
    assert done.exit_code == 1
    assert problem in done.output


def test_a_move_while_another_request_moves_the_clock_is_refused_for_the_account(
    renewals: Renewals, url: str
) -> None:
    query(
        url,
        """INSERT INTO test_clock_moves (id, account_id, idempotency_key, from_at, to_at, reached_at, started_at,
             progressed_at, renewed_count, refused_count, expired_count, released_count, first_sequence)
           SELECT gen_random_uuid(), id, 'another', test_clock, test_clock + interval '1 day', test_clock, now(), now(),
             0, 0, 0, 0, 0 FROM accounts WHERE id = 't'""",
    )
    done = renewals("clock", "t", "--to", "2027-02-01T10:00", DATABASE_URL=url)
    assert done.exit_code == 1
    assert done.stderr == (
        "ACCOUNT: another request is moving the clock to 2027-01-11T04:00:00+00:00; repeat that request, "
        "or wait until the move ends\n"
    )


def test_a_refusal_is_in_the_language_of_the_command(renewals: Renewals, url: str) -> None:
    done = renewals("clock", "nobody", "--to", "2027-02-01T10:00", "--lang", "zh", DATABASE_URL=url)
    assert (done.exit_code, done.stderr.strip()) == (1, "ACCOUNT：账户“nobody”不存在")


def test_the_runs_of_a_test_clock_are_listed_only_with_the_option(renewals: Renewals, url: str) -> None:
    assert renewals("clock", "t", "--to", "2027-02-01T10:00", DATABASE_URL=url).exit_code == 0
    assert renewals("runs", DATABASE_URL=url).stdout == ""
    listed = renewals("runs", "--test-clocks", DATABASE_URL=url).stdout
    assert listed.startswith("run 1 TEST_CLOCK for 2027-01-30T16:30:00+00:00, ")
