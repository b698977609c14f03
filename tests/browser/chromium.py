"""A real Chromium for the tests of pages: one for each test process, because each start takes a second."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from typing import Literal

import pytest
from playwright import async_api

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
Motion = Literal["reduce", "no-preference"]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

# Playwright's default of 5 seconds is too short while other tests run.
async_api.expect.set_options(timeout=20_000)

needed = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: install Debian's `chromium`"
)
marks = [pytest.mark.browser, needed]


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[async_api.Browser]:
    """Yield a browser."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


class _Shared:
    """The browser of this process. It is started when the first test needs it, and restarted if it has crashed."""

    def __init__(self) -> None:
        self._running = contextlib.AsyncExitStack()
        self._browser: async_api.Browser | None = None

    async def browser(self) -> async_api.Browser:
        """Return the running browser."""
        if self._browser is None or not self._browser.is_connected():
            await self.stop()
            self._browser = await self._running.enter_async_context(opened())
        return self._browser

    async def close_contexts(self) -> None:
        """Close the contexts that a test has left open."""
        for context in self._browser.contexts if self._browser else []:
            await context.close()

    async def stop(self) -> None:
        """Close the browser, if it was started."""
        self._browser = None
        await self._running.aclose()


shared = _Shared()


async def new_context(
    *,
    locale: str | None = None,
    viewport: async_api.ViewportSize | None = None,
    reduced_motion: Motion = "reduce",
) -> async_api.BrowserContext:
    """Return a context with its own storage and cache, in a time zone that is not the account's.

    Its pages have no animations, because the processor would have to paint each frame. `reduced_motion="no-preference"`
    enables them.
    """
    return await (await shared.browser()).new_context(
        locale=locale, viewport=viewport, timezone_id="America/New_York", reduced_motion=reduced_motion
    )
