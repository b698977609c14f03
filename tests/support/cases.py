"""Cases of parametrized tests."""

from collections.abc import Iterable

import pytest


def long_after(count: int, values: Iterable[object]) -> list[object]:
    """Return a case for each value; `make test` omits all cases but the first `count`."""
    return [
        pytest.param(value, marks=[pytest.mark.long] if place >= count else [])
        for place, value in enumerate(values)
    ]
