"""kill -9 of the API during a mutation, and a retry with the same key (rules 16 to 18)."""

import asyncio
import functools
import random
import signal
import time
from collections.abc import Sequence

from tests.chaos import boundaries, callers, plans, processes
from tests.chaos.stage import Stage
from tests.chaos.tally import Tally
from tests.chaos.work import Work, together

ANSWER_SECONDS_MAX = 20
STATEMENTS_GUESSED = 22
IDLE_SECONDS_MAX = 1
"""PostgreSQL ends an idle transaction after this many seconds, which releases its locks."""
CALL_SECONDS = 0.08
"""The approximate duration of a first mutation."""


async def at_each_statement(stage: Stage, passes: int) -> Tally:
    """Kill the server at each statement of a renewal and of a unification; send the retry to a second server."""
    tally = Tally("API killed at each statement of a mutation", ANSWER_SECONDS_MAX)
    strikes = await _strikers(stage, tally)
    for _ in range(passes):
        for strike in strikes:
            await boundaries.at_each(strike)
    return tally


async def at_some_statements(stage: Stage, count: int) -> Tally:
    """Kill the server at random statements of a renewal and of a unification."""
    tally = Tally("API killed at some statements of a mutation", ANSWER_SECONDS_MAX)
    renew, unify = await _strikers(stage, tally)
    await boundaries.at_some(renew, lambda: tally.tried >= count // 2, out_of=STATEMENTS_GUESSED)
    await boundaries.at_some(unify, lambda: tally.tried >= count, out_of=STATEMENTS_GUESSED)
    return tally


async def _strikers(stage: Stage, tally: Tally) -> list[boundaries.Strike]:
    work = await Work.begun()
    _, other_url = await stage.api()

    async def strike(unify: bool, fuse: plans.Fuse) -> bool:
        purchase = await callers.purchase(work, unify=unify)
        victim, url = await stage.api(plans.Plan(fuse))
        if not victim.is_alive:
            return True  # killed before it listened: no call was made
        struck = await _is_lost(purchase, url)
        await victim.kill()
        if struck:
            tally.tried += 1
            await _call_again(tally, work, [purchase], other_url)
        return struck

    return [functools.partial(strike, unify) for unify in (False, True)]


async def at_any_instant(stage: Stage, count: int) -> Tally:
    """Kill the server during four concurrent calls; send the retries to a new server on another port."""
    tally = Tally("API killed at any instant, calls in hand", ANSWER_SECONDS_MAX)
    work = await Work.begun()
    victim, url = await stage.api()
    while tally.tried < count:
        purchases = [await callers.purchase(work, unify=number % 2 == 1) for number in range(4)]
        calls = [asyncio.create_task(_is_lost(purchase, url)) for purchase in purchases]
        await asyncio.sleep(random.uniform(0, CALL_SECONDS))
        await victim.kill()
        tally.tried += any(await asyncio.gather(*calls))
        victim, url = await stage.api()
        await _call_again(tally, work, purchases, url)
    return tally


async def stopped(stage: Stage, count: int) -> Tally:
    """Stop a server during a mutation; resume it after another server has responded to the retry."""
    tally = Tally("API stopped in a mutation, wakes when all is done", ANSWER_SECONDS_MAX)
    work = await Work.begun()
    plan = plans.Plan(idle_seconds_max=IDLE_SECONDS_MAX)
    _, other_url = await stage.api(plan)

    while tally.tried < count:
        statement, moment = random.randint(2, STATEMENTS_GUESSED), random.choice(list(plans.Moment))
        fuse = plans.Fuse(statement, moment, signal.SIGSTOP)
        purchase = await callers.purchase(work, unify=tally.tried % 2 == 1)
        zombie, url = await stage.api(plan._replace(fuse=fuse))
        call = asyncio.create_task(_is_lost(purchase, url))
        while not (zombie.is_stopped or call.done()):  # noqa: ASYNC110  # the system sends no event
            await asyncio.sleep(processes.POLL_SECONDS)
        if zombie.is_stopped:
            tally.tried += 1
            await _call_again(tally, work, [purchase], other_url)
            zombie.signal(signal.SIGCONT)
            await call
            await _call_again(tally, work, [purchase], other_url)
        await call
        await zombie.kill()
    return tally


async def _is_lost(purchase: callers.Purchase, url: str) -> bool:
    """Return whether the call ended without a response."""
    try:
        await purchase.made(url)
    except callers.NoAnswerError:
        return True
    return False


async def _call_again(tally: Tally, work: Work, purchases: Sequence[callers.Purchase], url: str) -> None:
    """Retry until a response comes, and then once more. Note different responses, and any charge but one."""
    since = time.monotonic()
    for purchase in purchases:
        first = await purchase.repeated(url)
        assert first["__typename"].endswith("Success"), first
        tally.doubled += first != await purchase.repeated(url)
    await tally.recovered(work, together(purchase.batch for purchase in purchases), since)
