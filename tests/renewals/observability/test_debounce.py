"""Debouncing: one call serves several requests, and no request is lost when an event loop ends."""

import asyncio

from renewals.observability import debounce, log_config

SECONDS = 0.01


async def test_several_requests_cause_one_call_and_a_later_request_causes_another() -> None:
    calls: list[str] = []
    debouncer = debounce.Debouncer(lambda: calls.append("called"), SECONDS)
    for times in (1, 2):
        assert [debouncer.schedule() for _ in range(3)] == [True] * 3
        await asyncio.sleep(5 * SECONDS)
        assert len(calls) == times


def test_the_next_event_loop_makes_a_call_that_an_ended_loop_did_not_make() -> None:
    calls: list[str] = []
    debouncer = debounce.Debouncer(lambda: calls.append("called"), SECONDS)

    async def schedule_and_wait(seconds: float) -> None:
        assert debouncer.schedule()
        await asyncio.sleep(seconds)

    asyncio.run(schedule_and_wait(0))
    assert not calls
    asyncio.run(schedule_and_wait(5 * SECONDS))
    assert calls == ["called"]


def test_scheduling_without_an_event_loop_returns_false() -> None:
    assert not debounce.Debouncer(lambda: None).schedule()


async def test_the_call_runs_without_the_context_of_the_request_that_scheduled_it() -> None:
    contexts: list[object] = []
    debouncer = debounce.Debouncer(lambda: contexts.append(log_config.context.get()))
    token = log_config.context.set({"request_id": "one"})
    debouncer.schedule()
    log_config.context.reset(token)
    await asyncio.sleep(SECONDS)
    assert contexts == [{}]
