"""A sample of the faults; `make faults` tries each kind hundreds of times.

The tests use real processes, real kills, and their own servers.
"""

import sys
import time
from collections.abc import Iterator

import pytest

from tests.chaos import catalog, stage

SAMPLES = {name: fault for name, fault in catalog.ALL.items() if fault.sample}


@pytest.fixture(scope="module")
def in_memory() -> Iterator[stage.Servers]:
    with stage.started(durable=False) as servers:
        yield servers


@pytest.fixture(scope="module")
def on_disk() -> Iterator[stage.Servers]:
    with stage.started(durable=True) as servers:
        yield servers


@pytest.fixture
def servers(name: str, request: pytest.FixtureRequest) -> stage.Servers:
    chosen_servers: stage.Servers = request.getfixturevalue(
        "on_disk" if SAMPLES[name].durable else "in_memory"
    )
    return chosen_servers


@pytest.mark.parametrize("name", SAMPLES)
async def test_no_charge_is_lost_or_doubled(
    name: str, servers: stage.Servers, capfd: pytest.CaptureFixture[str]
) -> None:
    fault = SAMPLES[name]
    started_at = time.monotonic()
    async with stage.opened(servers) as opened:
        tally = await (fault.play_sample or fault.play)(opened, fault.sample)
    with capfd.disabled():  # shown even if the test passes
        sys.stderr.write(f"\n{tally.fault}: {tally.tried} tried in {time.monotonic() - started_at:.0f} s\n")
    assert tally.tried >= fault.sample
    assert tally.is_clean, tally
