"""A real Chromium, for tests that look at a page."""

import contextlib
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright import async_api

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

# Playwright's own five seconds are too few beside the other tests.
async_api.expect.set_options(timeout=20_000)

needed = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"
)


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[async_api.Browser]:
    """Yield a browser."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()
