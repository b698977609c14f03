"""`python -m tests.browser`: measure how fast the console loads, and how long the payment of 10,000 instances takes.

It starts its own servers, and measures in Chromium the times to the first contentful paint and to the first row of the
list. It measures with an empty and with a filled cache, on the demo account and on an account of 50,000 instances.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from playwright import async_api

from graphql_api.devserver import services
from renewals.db import connection as database
from renewals.db import migrate
from renewals.demo import loader
from tests.browser import chromium, pages
from tests.support.fixtures import World

ACCOUNT = "large"
SELECTED = 10_000
"""The maximum number of instances of one operation."""
REGISTERED_AT_ONCE = 1_000
WAIT_MS_MAX = 120_000
_FIRST_ROW = "tbody tr.ant-table-row"
_OBSERVE = f"""
  new MutationObserver((_, observer) => {{
    if (!document.querySelector("{_FIRST_ROW}")) return;
    window.firstRowAt = performance.now();
    observer.disconnect();
  }}).observe(document, {{ childList: true, subtree: true }});
  window.longestTask = 0;
  new PerformanceObserver((list) => {{
    for (const task of list.getEntries()) window.longestTask = Math.max(window.longestTask, task.duration);
  }}).observe({{ type: "longtask", buffered: true }});
"""
_READ = """() => [
  performance.getEntriesByName("first-contentful-paint")[0].startTime, window.firstRowAt,
  performance.getEntriesByType("resource").length]"""


class Load(NamedTuple):
    """Times in milliseconds from the start of the navigation, and the number of requests without that for the page."""

    paint_ms: float
    row_ms: float
    requests: int


async def fill(instances: int) -> None:
    """Load the demo account, and register the large account, whose first 10,000 instances have one product."""
    await loader.load()
    world = World()
    await world.account(ACCOUNT, balance="10000000.00")
    ids = [f"i-{number:06}" for number in range(instances)]
    for start in range(0, instances, REGISTERED_AT_ONCE):
        product = "kec" if start < SELECTED else "eip"
        await world.instances(
            ids[start : start + REGISTERED_AT_ONCE],
            account=ACCOUNT,
            expires="2027-12-31",
            product=product,
            data_center="bj-6",
        )
    await database.execute(database.pool(), "ANALYZE")


async def load(page: async_api.Page, address: str) -> Load:
    """Open the list and return its times."""
    await page.goto(address)
    await page.locator(_FIRST_ROW).first.wait_for(timeout=WAIT_MS_MAX)
    return Load(*await page.evaluate(_READ))


async def measure_loads(browser: async_api.Browser, address: str, key: str, rounds: int) -> list[list[Load]]:
    """Return the loads with an empty cache, and the loads with a filled cache that follow each of them."""
    cold, warm = [], []
    for _ in range(rounds):
        context = await open_context(browser, key)
        cold.append(await load(await context.new_page(), address))
        warm.append(await load(await context.new_page(), address))
        await context.close()
    return [cold, warm]


async def measure_payment(browser: async_api.Browser, address: str, key: str) -> list[tuple[str, float]]:
    """Select 10,000 instances, quote and pay their renewal, and return the seconds of each step."""
    page = await (await open_context(browser, key)).new_page()
    await load(page, f"{address}?product=kec")
    await page.get_by_role("button", name="Select all").click()
    dialog = page.get_by_role("dialog")
    started = time.monotonic()
    await page.locator("section").get_by_role("button", name="Renew", exact=True).click()
    await dialog.get_by_role("progressbar").or_(dialog.locator(".ant-spin")).first.wait_for()
    shown = time.monotonic()
    pay = dialog.locator("button.ant-btn-primary:not([disabled])", has_text="Pay now")
    await pay.wait_for(timeout=WAIT_MS_MAX)
    quoted = time.monotonic()
    await pay.click()
    await dialog.get_by_text("Paid", exact=True).wait_for(timeout=WAIT_MS_MAX)
    paid = time.monotonic()
    longest = await page.evaluate("window.longestTask")
    await page.context.close()
    return [
        ("dialog with its progress", shown - started),
        ("quote", quoted - started),
        ("payment", paid - quoted),
        ("longest time in which the page does not react", longest / 1_000),
    ]


async def open_context(browser: async_api.Browser, key: str) -> async_api.BrowserContext:
    """Return a signed-in browser with an empty cache."""
    context = await browser.new_context(locale="en-US", viewport={"width": 1280, "height": 1000})
    await context.add_init_script(f"sessionStorage.setItem('renewals.token', '{key}')")
    await context.add_init_script(_OBSERVE)
    return context


def line(name: str, loads: Sequence[Load]) -> str:
    """Return a line with the medians of some loads."""
    paint, row, requests = (statistics.median(values) for values in zip(*loads, strict=True))
    return f"{name:32} {paint:8.0f} ms {row:8.0f} ms {requests:6.0f}"


async def measure(database_url: str, redis_url: str, instances: int, rounds: int) -> None:
    """Measure everything, and print the results."""
    await migrate.migrate(database_url)
    async with database.connect(database_url):
        await fill(instances)
        world = World()
        accounts = {loader.ACCOUNT_ID: "demo account", ACCOUNT: f"{instances:,} instances"}
        keys = {account: await world.key(account) for account in accounts}
        async with pages.served(database_url, redis_url) as server, chromium.opened() as browser:
            address = f"http://{server.address}/console/"
            print(f"{'':32} {'paint':>11} {'first row':>11} requests")  # noqa: T201
            for account, name in accounts.items():
                cold, warm = await measure_loads(browser, address, keys[account], rounds)
                print(line(f"{name}, empty cache", cold))  # noqa: T201
                print(line(f"{name}, filled cache", warm))  # noqa: T201
            for step, seconds in await measure_payment(browser, address, keys[ACCOUNT]):
                print(f"{SELECTED:,} instances, {step}: {seconds:.1f} s")  # noqa: T201


def main() -> None:
    """Start the servers and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        services.Postgres(durable=False) as postgres,
        services.Valkey(Path(folder)) as valkey,
    ):
        asyncio.run(measure(postgres.url, valkey.url, arguments.instances, arguments.rounds))


if __name__ == "__main__":
    main()
