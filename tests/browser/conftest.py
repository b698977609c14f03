"""One Chromium for all tests of a process, and a separate browser context for each test."""

import os
from collections.abc import AsyncIterator

import pytest

from tests.browser import chromium
from tests.support import databases


@pytest.fixture(scope="session")
async def shared_chromium() -> AsyncIterator[None]:
    """Close the browser at the end of the session."""
    yield
    await chromium.shared.stop()


@pytest.fixture(autouse=True)
async def closed_contexts(shared_chromium: None) -> AsyncIterator[None]:
    """Close the browser contexts that a test has opened, also if the test fails."""
    yield
    await chromium.shared.close_contexts()


@pytest.fixture
async def database_copy(test_databases: databases.DatabasePool) -> AsyncIterator[databases.DatabaseCopy]:
    """Yield a database with the catalog. Tasks are not ended after a test, because the browser keeps its own."""
    async with test_databases.use(os.environ["TEST_WORLD_DATABASE"]) as copy:
        yield copy
