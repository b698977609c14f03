"""A counter of calls to graphql-core's executor, which measures the work that is not compiled."""

from collections import Counter
from typing import Any

import pytest
from graphql.execution import Executor


def count_core_calls(monkeypatch: pytest.MonkeyPatch, *names: str) -> Counter[str]:
    """Count the calls of each named method of the executor until the end of the test."""
    counted: Counter[str] = Counter()

    def count(name: str) -> None:
        original = getattr(Executor, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return original(*args, **kwargs)

        monkeypatch.setattr(Executor, name, counting)

    for name in names:
        count(name)
    return counted
