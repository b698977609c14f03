"""Fixtures: one account with data, and two equal accounts that try to read and change the data."""

from collections.abc import AsyncIterator, Callable

import orjson
import pytest

from tests.isolation import stage, walk
from tests.isolation.asking import CUSTOMERS, Scene, ask
from tests.isolation.names import THEIRS, TWINS
from tests.support.fixtures import World
from tests.support.operator_client import Operator


@pytest.fixture
async def scene(world: World, settings_override: Callable[..., None]) -> AsyncIterator[Scene]:
    # The deepest path, to the instances at risk on a day, needs more fields than the default limit allows.
    settings_override(
        operator_api=True, webhook_endpoints_max=1_000, fields_max=100_000_000, cost_max=100_000_000
    )
    operator = Operator()
    operator.key = await world.operator_key("ops")
    async with operator.http:
        stocks = await stage.open_accounts(world, operator)
        theirs, twins = stocks[THEIRS], (stocks[TWINS[0]], stocks[TWINS[1]])
        operator.at(world.at("2027-02-01 12:00", account=THEIRS))
        digest = await stage.digest_of(world, THEIRS, but=("audit_log",))
        responses = [
            orjson.loads((await ask(operator, theirs.key, place, {}, theirs))[1])
            for place in walk.places(CUSTOMERS)
            if place.operation == "query"
        ]
        words = digest.names.union(*map(stage.words_of, responses))
        assert not [response for response in responses if "errors" in response]
        assert len(words) > 30, "too little of the account was seen to say that nothing leaks"
        yield Scene(operator, theirs, twins, digest, await digest.take(), words)
