"""kill -9 of the API in the midst of a mutation, and the same call with the same key (rules 16 to 18)."""

import asyncio
import functools
import random
import time
from collections.abc import Sequence

from tests.faults import boundaries, callers, plans
from tests.faults.stage import Stage
from tests.faults.tally import Tally
from tests.faults.work import Work, together

ANSWER_SECONDS_MAX = 20
STATEMENTS_GUESSED = 22
CALL_SECONDS = 0.08
"""About how long a first mutation takes."""


async def at_each_statement(stage: Stage, passes: int) -> Tally:
    """Of a renewal and of a unification: one call at a server that dies of it, the next at the one beside it."""
    tally = Tally("API killed at each statement of a mutation", ANSWER_SECONDS_MAX)
    strikes = await _strikers(stage, tally)
    for _ in range(passes):
        for strike in strikes:
            await boundaries.at_each(strike)
    return tally


async def at_some_statements(stage: Stage, count: int) -> Tally:
    """The same at a few of them."""
    tally = Tally("API killed at some statements of a mutation", ANSWER_SECONDS_MAX)
    for strike in await _strikers(stage, tally):
        await boundaries.at_some(strike, count // 2, out_of=STATEMENTS_GUESSED)
    return tally


async def _strikers(stage: Stage, tally: Tally) -> list[boundaries.Strike]:
    work = await Work.begun()
    _, beside = await stage.api()

    async def strike(unify: bool, fuse: plans.Fuse) -> bool:
        purchase = await callers.purchase(work, unify=unify)
        victim, url = await stage.api(plans.Plan(fuse))
        if not victim.is_alive:
            return True  # killed before it listened: there was no call
        struck = await _is_lost(purchase, url)
        await victim.kill()
        if struck:
            tally.tried += 1
            await _call_again(tally, work, [purchase], beside)
        return struck

    return [functools.partial(strike, unify) for unify in (False, True)]


async def at_any_instant(stage: Stage, count: int) -> Tally:
    """Several calls in hand, and the server started again on another port."""
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


async def _is_lost(purchase: callers.Purchase, url: str) -> bool:
    """Whether the caller was left without an answer."""
    try:
        await purchase.made(url)
    except callers.NoAnswerError:
        return True
    return False


async def _call_again(tally: Tally, work: Work, purchases: Sequence[callers.Purchase], url: str) -> None:
    """Calls until there is an answer, and once more: it is the same, and the account was charged once."""
    since = time.monotonic()
    for purchase in purchases:
        first = await purchase.repeated(url)
        assert first["__typename"].endswith("Success"), first
        tally.doubled += first != await purchase.repeated(url)
    await tally.recovered(work, together(purchase.batch for purchase in purchases), since)
