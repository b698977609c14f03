"""The duration of a 30-day forecast for an account with 50,000 AUTO instances that are all due within the 30 days."""

import dataclasses
import datetime as dt
import sys
import time
from collections import defaultdict
from collections.abc import Mapping

import asyncpg
import orjson
import uvloop

from benchmarks import client, cpu, data, results, sizes, stage
from renewals.accounts import ledger, vouchers
from renewals.db import connection as database
from renewals.domain import money
from renewals.forecasts import forecast
from renewals.observability import gc_tuning

DAYS = 30
SHARE = 20
"""The account has 1/SHARE of `size.instances`: 50,000 in the full run, 5,000 in the quick one."""
SECOND_MS = 1_000
OURS, OVER_HTTP = "Renewals, in process", "Renewals, over HTTP"
ENOUGH, SHORT = "enough money", "money for half"
NEW, REPEATED = "a new forecast", "a repeated forecast"

DOCUMENT = f"""{{ forecast(days: {DAYS}) {{
  total topUpNeeded firstShortfallOn
  days {{ date dueCount total voucherTotal balanceTotal balanceAfter shortfall }}
}} }}"""
PREPARE = f"""
UPDATE instances SET billing_mode = 'PREPAID', is_trial = false, status = 'RUNNING', renewal_mode = 'AUTO',
  product_code = 'product-' || abs(hashtext(id)) % 9,
  auto_renew_months = (ARRAY[1, 1, 1, 3, 12])[1 + abs(hashtext(id)) % 5],
  expires_at = due.at, anchor_day = extract(day FROM due.at AT TIME ZONE 'Asia/Shanghai')
FROM (SELECT id AS due_id, timestamptz '{{today}} 15:59:59Z'
        + interval '1 day' * (1 + abs(hashtext('day ' || id)) % {DAYS - 1}) AS at FROM instances) AS due
WHERE id = due.due_id;
INSERT INTO discount_tiers (product_code, months, discount_bps)
  SELECT code, tier.months, tier.bps FROM products, (VALUES (6, 500), (12, 1700)) AS tier(months, bps);
"""
CPU = "ms CPU of the server"
TIMES = 3
VOUCHERS = 8
VOUCHER_CENTS = 5_000_00
NOTES = """\
Every instance is due once within the days. 20 % of the instances renew for 3 months and 20 % for 12, \
with discounts. Eight vouchers, half of them for one product, pay first.
With money for half, the money is insufficient on half of the days, and about half of the instances are at risk.
Both contenders return the same days and the same sum to be added, which is checked before anything is timed. "In \
process" measures only the domain's function. Over HTTP, one request is sent at a time; the server computes a \
large forecast in a separate process, whose processor time is included.
A new forecast follows a top-up of 1 cent, so it cannot come from the cache. A repeated one has the same inputs as the \
one before it.
The targets compare the fastest forecast of each contender.
"""


def run(running_stage: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure the forecast in process and over HTTP, with enough money and with too little."""
    gc_tuning.tune_gc()  # the API does this when it starts
    count = size.instances // SHARE
    url = running_stage.create_database("forecast")
    loaded = uvloop.run(_fill(url, size, count))
    command = (sys.executable, "-m", "graphql_api", "serve", "--port")
    environment = {"DATABASE_URL": url}
    with running_stage.running(lambda port: (*command, str(port)), environment) as server:
        measured = uvloop.run(_measure(loaded, server, size.rounds))
    figures = [results.Figure(*key, tuple(values)) for key, values in measured.items()]
    return results.Section(
        title=f"The forecast of {DAYS} days of {count:,} AUTO instances",
        figures=figures,
        targets=_targets(figures, count),
        notes=(
            f"In each of {size.rounds} rounds, each contender computes {TIMES} new and {TIMES} repeated forecasts.",
            *NOTES.splitlines(),
        ),
        units_together=True,
    )


async def _fill(url: str, size: sizes.Size, count: int) -> data.Loaded:
    """Fill a database in which one account has `count` instances without bundles, and VOUCHERS vouchers."""
    alone = dataclasses.replace(size, instances=count, accounts=2, large_account_instances=count)
    loaded = await data.load(url, alone)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(PREPARE.format(today=loaded.today))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    now = dt.datetime.now(dt.UTC)
    async with database.connect(url, pool_size=2), database.transaction() as transaction:
        for number in range(VOUCHERS):
            await vouchers.issue_voucher(
                transaction,
                data.LARGE_ACCOUNT,
                VOUCHER_CENTS,
                expires_at=now + dt.timedelta(days=3 * number + 2),
                now=now,
                product_codes=[f"product-{number}"] if number % 2 else [],
            )
    return loaded


async def _top_up(cents: int) -> None:
    async with database.transaction() as connection:
        await ledger.top_up(connection, data.LARGE_ACCOUNT, cents, memo="Top-up", now=dt.datetime.now(dt.UTC))


async def _measure(
    loaded: data.Loaded, server: stage.Running, rounds: int
) -> Mapping[tuple[str, str, str], list[float]]:
    """Return the elapsed and the processor milliseconds of each forecast, by what it is, contender and unit."""
    milliseconds_by_figure: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    request = client.graphql_request("/graphql", loaded.key, DOCUMENT, {})
    async with database.connect(loaded.url, pool_size=2):
        for scenario, divisor in ((SHORT, 2), (ENOUGH, 1)):
            lacking = await forecast.read_forecast(data.LARGE_ACCOUNT, DAYS, dt.datetime.now(dt.UTC))
            await _top_up(lacking.required_top_up_cents // divisor)
            await _compare(server.port, request)
            for number in range(rounds):
                for name in (OURS, OVER_HTTP)[:: -1 if number % 2 else 1]:
                    for state in (NEW, REPEATED):
                        what = f"{state}, {scenario}"
                        figures = milliseconds_by_figure[what, name, "ms"]
                        for _ in range(TIMES):
                            if state == NEW:
                                await _top_up(1)
                            milliseconds, cpu_milliseconds = await _time(name, server, request)
                            figures.append(milliseconds)
                            milliseconds_by_figure[what, name, CPU].append(cpu_milliseconds)
                        print(
                            f"round {number + 1}, {what}, {name:<22} {figures[-1]:8.0f} ms", file=sys.stderr
                        )
    return milliseconds_by_figure


async def _time(name: str, server: stage.Running, request: bytes) -> tuple[float, float]:
    def cpu_seconds() -> float:
        # The process that computes large forecasts has a session of its own, so it is not in `server.cpu_seconds`.
        return cpu.of_descendants(server.pid) if name == OVER_HTTP else time.process_time()

    cpu_before, started = cpu_seconds(), time.perf_counter()
    if name == OVER_HTTP:
        await client.ask(server.port, request)
    else:
        await forecast.read_forecast(data.LARGE_ACCOUNT, DAYS, dt.datetime.now(dt.UTC))
    elapsed = time.perf_counter() - started
    return elapsed * 1e3, (cpu_seconds() - cpu_before) * 1e3


async def _compare(port: int, request: bytes) -> None:
    """Raise UnexpectedAnswerError if the days or the top-up of the forecast over HTTP differ from those in process."""
    ours = await forecast.read_forecast(data.LARGE_ACCOUNT, DAYS, dt.datetime.now(dt.UTC))
    response = await client.ask(port, request)
    result = orjson.loads(response.body)["data"]["forecast"]
    days = [(day["total"], day["balanceAfter"], day["shortfall"]) for day in result["days"]]
    if (result["topUpNeeded"], days) != (
        money.format_cents(ours.required_top_up_cents),
        [
            tuple(map(money.format_cents, (day.total_cents, day.balance_after_cents, day.shortfall_cents)))
            for day in ours.days
        ],
    ):
        raise client.UnexpectedAnswerError(f"the response over HTTP differs: {response.body[:500]!r}")


def _targets(figures: list[results.Figure], count: int) -> list[results.Target]:
    lowest = {(figure.what, figure.contender): figure.low for figure in figures if figure.unit == "ms"}
    return [
        results.Target(
            f"new forecast of {count:,}, {scenario} (ms), over HTTP, against a second",
            lowest[f"{NEW}, {scenario}", OVER_HTTP],
            SECOND_MS,
            1,
            less_is_better=True,
        )
        for scenario in (SHORT, ENOUGH)
    ]
