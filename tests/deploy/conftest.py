"""Fixtures for the tests of deployments."""

import importlib.util
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.deploy import helm_chart


@pytest.fixture(scope="module")
def helm() -> Iterator[ProcessPoolExecutor]:
    """Run a process that has Helm."""
    if not importlib.util.find_spec("helm_python"):
        pytest.skip("there is no Helm for this system")
    with helm_chart.process() as pool:
        yield pool
