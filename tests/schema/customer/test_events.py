"""The events of a subscription, each with its summary in the language of the connection (rule 27)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from renewals.domain import model, planning
from renewals.domain.model import Language
from renewals.instances import policy, selection
from renewals.orders import place_order, requests
from schema.context import Context
from schema.customer import schema as customer_schema
from tests.support.fixtures import NOW, World

EVENTS = "subscription { events(after: 0) { type instanceId payload summary } }"
SELECTION = selection.ById(("i-1",))


@pytest.fixture
async def two_events(world: World) -> World:
    """Renew an instance of account `a` by hand, then set it to AUTO."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1", name="web-1", expires="2027-01-31", price="300.00")
    request = requests.OrderRequest(SELECTION, planning.RenewFor(1), idempotency_key="key")
    await place_order.place_order("a", request, lambda: NOW)
    await policy.set_policy("a", policy.PolicyRequest(SELECTION, model.RenewalMode.AUTO), lambda: NOW)
    return world


async def read_events(count: int, language: Language) -> list[dict[str, Any]]:
    context = Context("a", lambda: NOW, language=language)
    results: Any = await customer_schema.schema.subscribe(EVENTS, context_value=context)
    assert isinstance(results, AsyncIterator)
    events = []
    async for result in results:
        assert not result.errors
        events.append(result.data["events"])
        if len(events) == count:
            break
    await results.aclose()  # type: ignore[attr-defined]
    return events


@pytest.mark.parametrize(
    ("language", "summaries"),
    [
        (
            Language.EN,
            [
                "web-1 (i-1) was renewed for 1 month until 2027-02-28; the price was 300.00 CNY.",
                (
                    'The renewal policy of web-1 (i-1) was changed from "Manual renewal" to '
                    '"Auto-renewal, 1 month at a time".'
                ),
            ],
        ),
        (
            Language.ZH,
            [
                "实例 web-1 (i-1) 已续费 1 个月，金额 300.00 CNY，新到期日 2027-02-28。",
                "实例 web-1 (i-1) 的续费策略已由“手动续费”改为“自动续费，每次 1 个月”。",
            ],
        ),
    ],
)
async def test_each_event_has_a_summary_in_the_caller_s_language(
    two_events: World, language: Language, summaries: list[str]
) -> None:
    assert [event["summary"] for event in await read_events(2, language)] == summaries


async def test_only_the_summary_of_an_event_depends_on_the_language(two_events: World) -> None:
    english, chinese = [
        [{name: value for name, value in event.items() if name != "summary"} for event in events]
        for events in (await read_events(2, Language.EN), await read_events(2, Language.ZH))
    ]
    assert english == chinese
