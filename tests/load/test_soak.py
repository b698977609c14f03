"""The definitions of memory growth and of an unexpected response in `tests.load.soak`."""

import pytest

from tests.load import soak
from tests.support.live_server import LiveServer


@pytest.mark.parametrize(
    ("samples", "flat"),
    [
        ([90.0] * 30, True),
        ([60.0] * 10 + [100.0] * 20, True),
        ([100.0] * 20 + [109.0] * 10, True),
        ([100.0] * 20 + [111.0] * 10, False),
        ([100.0 + number for number in range(60)], False),
    ],
    ids=[
        "constant",
        "growth in the first third",
        "growth of 9 percent",
        "growth of 11 percent",
        "steady growth",
    ],
)
def test_memory_growth_after_the_second_third_is_detected(samples: list[float], flat: bool) -> None:
    assert soak.is_flat("api", samples) is flat


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        ("page OK", 0),
        ("export BUSY", 0),
        ("bad TOO_DEEP", 0),
        ("stranger UNAUTHENTICATED", 0),
        ("page BAD_REQUEST", 1),
        ("renew NotRenewable", 1),
        ("bad INTERNAL", 1),
        ("bad OK", 1),
        ("stranger OK", 1),
        ("stream ReadTimeout", 1),
        ("bad ConnectError", 1),
    ],
)
def test_an_unexpected_response_is_counted(unreachable_server: LiveServer, answer: str, faults: int) -> None:
    customers = soak.Customers(unreachable_server, [])
    customers.answers[answer] += 1
    assert customers.faults == faults


@pytest.fixture
def unreachable_server() -> LiveServer:
    return LiveServer(None, "127.0.0.1:1")  # type: ignore[arg-type]
