"""Sign-in to the console at an OpenID provider in a real Chromium: by code with PKCE, its expiry, and its failures."""

import contextlib
import datetime as dt
import re
from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from renewals.domain import clock as clocks
from tests.browser import chromium, pages
from tests.support import live_server, oidc_provider
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]


class Clock:
    """The API's clock, which a test can move past the expiry of a token."""

    def __init__(self) -> None:
        self.ahead = dt.timedelta()

    def __call__(self) -> dt.datetime:
        return clocks.utc_now() + self.ahead


@pytest.fixture
async def provider() -> AsyncIterator[oidc_provider.Provider]:
    async with oidc_provider.serving() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def address(
    world: World, provider: oidc_provider.Provider, clock: Clock, redis_url: str
) -> AsyncIterator[str]:
    """The address of the console, which the provider accepts. Account `a` has an instance."""
    await world.account("a")
    await world.instance("i-1")
    settings = provider.issuer.settings(
        console=True, jwt_client_id=oidc_provider.CLIENT_ID, trusted_documents_only=True, redis_url=redis_url
    )
    async with live_server.served_here(settings, clock) as host:
        provider.redirect_uri = f"http://{host}/console/signed-in"
        yield f"http://{host}/console/"


@contextlib.asynccontextmanager
async def opened(address: str, locale: str) -> AsyncIterator[async_api.Page]:
    """Open the page for sign-in. The test fails if the page violates its policy, or if a script causes an error."""
    problems: list[str] = []
    async with await chromium.new_context(locale=locale) as context:
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.extend(re.findall(".*Security Policy.*", message.text)))
        await page.goto(address)
        yield page
    assert problems == []


async def expect_list(page: async_api.Page) -> None:
    await expect(page.locator("tbody tr.ant-table-row")).to_have_count(1, timeout=pages.WAIT_MS_MAX)


async def test_a_customer_must_sign_in_at_the_provider_again_when_the_token_expires(
    address: str, provider: oidc_provider.Provider, clock: Clock
) -> None:
    async with opened(f"{address}orders?status=PAID", "zh-CN") as page:
        sign_in = page.get_by_role("button", name="使用企业账号登录")
        await sign_in.click(timeout=pages.WAIT_MS_MAX)
        await page.wait_for_url("**/console/orders?status=PAID")
        await page.get_by_role("menuitem").first.get_by_role("link").click(timeout=pages.WAIT_MS_MAX)
        await expect_list(page)
        tokens = await page.evaluate("Object.values(sessionStorage)")
        assert [token.count(".") for token in tokens] == [2]
        assert await page.evaluate("[localStorage.length, document.cookie]") == [0, ""]

        clock.ahead = dt.timedelta(hours=2)  # the stream of events ends, without a click
        await expect(page.get_by_text("登录已失效，请重新登录。")).to_be_visible(timeout=pages.WAIT_MS_MAX)
        assert await page.evaluate("sessionStorage.length") == 0
        clock.ahead = dt.timedelta()
        await pages.expect_accessible(page)
        await sign_in.click()
        await expect_list(page)
        await page.get_by_role("button", name="退出登录").click()
        await expect(page.get_by_text("已退出登录。")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_failed_sign_in_shows_a_message_and_can_be_repeated(
    address: str, provider: oidc_provider.Provider
) -> None:
    async with opened(f"{address}signed-in?code=stolen&state=of-another-tab", "en-US") as page:
        failed = page.get_by_text("The sign-in with your organization did not finish. Try again.")
        await expect(failed).to_be_visible(timeout=pages.WAIT_MS_MAX)
        assert "/token" not in provider.issuer.asked
        assert page.url == address

        provider.denies = True
        await sign_in_again(page)
        await expect(failed).to_be_visible(timeout=pages.WAIT_MS_MAX)
        assert "/token" not in provider.issuer.asked

        provider.denies = False
        provider.forgets_codes = True
        await sign_in_again(page)
        await expect(failed).to_be_visible(timeout=pages.WAIT_MS_MAX)
        assert provider.issuer.asked.count("/token") == 1

        provider.forgets_codes = False
        provider.account_id = "unknown"
        await sign_in_again(page)
        not_accepted = page.get_by_text("Your organization's sign-in is not accepted here, or has expired.")
        await expect(not_accepted).to_be_visible(timeout=pages.WAIT_MS_MAX)

        provider.account_id = "a"
        await sign_in_again(page)
        await expect_list(page)


async def sign_in_again(page: async_api.Page) -> None:
    """Press the button, and wait until the provider has sent the browser back."""
    async with page.expect_navigation(url="**/signed-in?**", wait_until="commit"):
        await page.get_by_role("button", name="Sign in with your organization").click()
