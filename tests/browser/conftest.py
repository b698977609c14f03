"""One Chromium for all tests of a process, and a separate browser context for each test.

The browser belongs to the event loop of the session, so the tests of this folder and their fixtures run in that loop.
"""

import os
from collections.abc import AsyncIterator

import pytest_asyncio

from renewals.db import connection as database
from tests.browser import chromium
from tests.support import databases


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_chromium() -> AsyncIterator[None]:
    """Close the browser at the end of the session."""
    yield
    await chromium.shared.stop()


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def closed_contexts(shared_chromium: None) -> AsyncIterator[None]:
    """Close the browser contexts that a test has opened, also if the test fails."""
    yield
    await chromium.shared.close_contexts()


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(test_databases: databases.DatabasePool) -> AsyncIterator[str]:
    """The URL of a database with the catalog."""
    async for url in test_databases.use(os.environ["TEST_WORLD_DATABASE"]):
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def opened(database_url: str) -> AsyncIterator[str]:
    """The domain's pool, open on that database; yields the URL."""
    async with database.connect(database_url):
        yield database_url
