"""Test the list of renewal runs, the retry of parked accounts, and the integrity report."""

import pytest

from renewals import integrity
from renewals.auto_renewal import chunks, renew, runs
from renewals.auto_renewal.finish_runs import finish_runs
from renewals.db import connection as database
from renewals.db import models
from tests.renewals.auto_renewal.test_parking import AT, cure, poison
from tests.support import integrity as checks
from tests.support.fixtures import World
from tests.support.operator_client import Operator

RUNS = """{ renewalRuns(first: 5) { id trigger scheduledAt startedAt endedAt latenessSeconds renewedCount refusedCount
  skippedCount amount parkedCount parkedAccounts { accountId error } brokenRules } }"""


@pytest.fixture
async def night(world: World, operator: Operator) -> World:
    """Execute a run that parks account `b` and renews `a` and `c`."""
    for account_id in "abc":
        await world.account(account_id, balance="1000.00")
        await world.instance(f"{account_id}-1", account=account_id, expires="2027-01-31", mode="AUTO")
    await poison("b")
    operator.at(world.at(AT))
    await renew.run_at(world.at(AT), lambda: world.at("2027-01-31 00:31"))
    return world


async def test_a_run_has_its_counts_and_parked_accounts(night: World, operator: Operator) -> None:
    [run] = (await operator(RUNS))["renewalRuns"]
    [parked] = run.pop("parkedAccounts")
    assert parked["accountId"] == "b" and parked["error"].startswith("ValueError")
    assert run == {
        "id": "1",
        "trigger": "OPERATOR",
        "scheduledAt": "2027-01-30T16:30:00+00:00",
        "startedAt": "2027-01-30T16:31:00+00:00",
        "endedAt": "2027-01-30T16:31:00+00:00",
        "latenessSeconds": 60.0,
        "renewedCount": 2,
        "refusedCount": 0,
        "skippedCount": 0,
        "amount": "600.00",
        "parkedCount": 1,
        "brokenRules": [],
    }


async def test_only_parked_accounts_are_retried(night: World, operator: Operator) -> None:
    await night.instance("c-2", account="c", expires="2027-01-31", mode="AUTO")
    await cure()
    result = await operator.done("retryParked", "{ run { id endedAt renewedCount } }", runId="1")
    assert result["run"] == {"id": "2", "endedAt": None, "renewedCount": 0}
    for chunk in await chunks.list_pending_chunks():
        await renew.process_chunk(chunk, lambda: operator.now)
    await finish_runs(lambda: operator.now)
    done = await runs.get_run(2)
    assert (done.renewed_count, done.amount_cents, done.ended_at is None) == (1, 30000, False)
    assert (await night.expiry("b-1"), await night.expiry("c-2")) == ("2027-02-28", "2027-01-31")
    await checks.assert_holds()


async def test_a_retry_ends_at_once_if_no_instance_of_the_parked_account_is_due(
    night: World, operator: Operator
) -> None:
    operator.at(night.at("2027-02-01 00:00"))
    result = await operator.done("retryParked", "{ run { endedAt renewedCount } }", runId="1")
    assert result["run"] == {"endedAt": "2027-01-31T16:00:00+00:00", "renewedCount": 0}


@pytest.mark.parametrize("run_id", ["2", "0", "-1", "x", "", "\0", "9" * 30, "9" * 5000, "²"])
async def test_a_retry_of_an_unknown_run_returns_not_found(
    night: World, operator: Operator, run_id: str
) -> None:
    assert (await operator.refused("retryParked", runId=run_id))[:2] == ("NotFound", "input.runId")
    assert await night.count("renewal_runs") == 1


async def test_a_retry_of_a_run_without_parked_accounts_is_refused(night: World, operator: Operator) -> None:
    await renew.run_at(night.at("2027-01-20 00:30"))
    assert (await operator.refused("retryParked", runId="2"))[:2] == ("InvalidInput", "input.runId")


async def test_a_retry_repeated_with_the_same_key_starts_one_run(night: World, operator: Operator) -> None:
    first = await operator.done("retryParked", "{ run { id } }", key="k", runId="1")
    assert await operator.done("retryParked", "{ run { id } }", key="k", runId="1") == first
    assert await night.count("renewal_runs") == 2


async def test_the_integrity_report_lists_each_rule_and_the_damages_of_a_violated_rule(
    night: World, operator: Operator
) -> None:
    query = "{ integrityReport { rule isKept damages } }"
    report = (await operator(query))["integrityReport"]
    assert [rule["rule"] for rule in report] == list(integrity.RULES)
    assert all(rule["isKept"] and rule["damages"] == [] for rule in report)
    await database.execute(database.pool(), "UPDATE accounts SET balance_cents = 7 WHERE id = 'a'")
    broken = [rule for rule in (await operator(query))["integrityReport"] if not rule["isKept"]]
    assert broken[0]["damages"] == [{"account_id": "a", "balance_cents": 7, "sum_cents": "70000"}]


async def test_the_list_of_runs_can_omit_the_runs_of_test_clocks(night: World, operator: Operator) -> None:
    at = (await night.row("SELECT started_at FROM renewal_runs"))[0]
    trigger = runs.Trigger.TEST_CLOCK
    await models.RenewalRun.create(using_db=database.pool(), trigger=trigger, scheduled_at=at, started_at=at)
    every = await operator("{ renewalRuns { trigger } }")
    assert [run["trigger"] for run in every["renewalRuns"]] == ["TEST_CLOCK", "OPERATOR"]
    in_real_time = await operator("{ renewalRuns(first: 1, testClocks: false) { trigger } }")
    assert in_real_time["renewalRuns"] == [{"trigger": "OPERATOR"}]


@pytest.mark.parametrize("first", [-1, 1001])
async def test_a_list_of_too_few_or_too_many_runs_is_refused(operator: Operator, first: int) -> None:
    [error] = await operator.errors(f"{{ renewalRuns(first: {first}) {{ id }} }}")
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}
