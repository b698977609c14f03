"""Debouncing: one call serves several requests, and no request is lost when an event loop ends."""

import asyncio

from renewals.observability import debounce, log_config

SECONDS = 0.01


async def test_it_is_done_once_for_all_who_asked_and_again_for_who_asks_then() -> None:
    done: list[str] = []
    work = debounce.Debouncer(lambda: done.append("done"), SECONDS)
    for times in (1, 2):
        assert [work.schedule() for _ in range(3)] == [True] * 3
        await asyncio.sleep(5 * SECONDS)
        assert len(done) == times


def test_the_next_loop_does_what_one_that_ended_has_left() -> None:
    done: list[str] = []
    work = debounce.Debouncer(lambda: done.append("done"), SECONDS)

    async def ask(seconds: float) -> None:
        assert work.schedule()
        await asyncio.sleep(seconds)

    asyncio.run(ask(0))
    assert not done
    asyncio.run(ask(5 * SECONDS))
    assert done == ["done"]


def test_without_a_loop_whoever_asks_must_do_it() -> None:
    assert not debounce.Debouncer(lambda: None).schedule()


async def test_the_work_has_nothing_of_the_request_that_asked_for_it_first() -> None:
    found: list[object] = []
    work = debounce.Debouncer(lambda: found.append(log_config.context.get()))
    held = log_config.context.set({"request_id": "one"})
    work.schedule()
    log_config.context.reset(held)
    await asyncio.sleep(SECONDS)
    assert found == [{}]
