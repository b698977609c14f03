"""An attacking key does not slow down another account. `make starve` runs longer, with every case."""

from collections import Counter

import pytest

from tests.load import starve
from tests.support.live_server import served

SECONDS = 3.0
RATIO_MAX, P99_SECONDS_MAX = 1_000.0, 5.0
"""Bounds far above those of `make starve`, because other tests run at the same time. Without limits, the p99 was 6.6
to 14 s."""


@pytest.mark.parametrize("case", ["outlook", "refused", "calendar"])
async def test_another_account_is_served_within_seconds_during_an_attack(opened: str, case: str) -> None:
    keys = await starve.prepare()
    settings = {"RENEWALS_COST_PER_MINUTE_MAX": "0", "RENEWALS_LOG_LEVEL": "CRITICAL"}
    async with served(opened, **settings) as server:
        await starve.measure_victim(server, keys[1], 1)
        alone = await starve.measure_victim(server, keys[1], SECONDS)
        verdict = await starve.try_case(server, case, keys, alone, SECONDS)
    assert sum(verdict.attacker.values()) > 0
    assert verdict.is_fair(ratio_max=RATIO_MAX, seconds_max=P99_SECONDS_MAX), f"\n{starve.HEADING}\n{verdict}"


def test_a_slow_response_a_failure_and_an_unready_process_are_detected() -> None:
    def verdict(seconds: float, **counts: object) -> starve.Verdict:
        attacked = starve.Answers([0.010] * 98 + [seconds] * 2, **counts)  # type: ignore[arg-type]
        return starve.Verdict("case", starve.Answers([0.010] * 100), attacked, {})

    assert verdict(0.099).is_fair()
    assert not verdict(0.101).is_fair()
    assert not verdict(0.010, failures=Counter({"500 INTERNAL": 1})).is_fair()
    assert not verdict(0.010, unready=1).is_fair()
