"""The console's page of webhooks in a real Chromium."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright import async_api
from playwright.async_api import expect

from renewals.domain import clock as clocks
from renewals.domain import model
from renewals.instances import policy, selection
from renewals.webhooks import endpoint_requests, endpoints
from tests.browser import chromium, pages
from tests.support import webhook_receiver
from tests.support.fixtures import World

pytestmark = [*chromium.marks, pages.built]

SAVE, EDIT, DISABLE, DELETE, CONFIRM = (
    re.compile(rf"^{word[0]}\s?{word[1]}$") for word in ("保存", "编辑", "停用", "删除", "确定")
)
REFUSED = "http://192.0.2.1/"


@pytest.fixture
async def account(world: World) -> None:
    """An account with one event."""
    await pages.open_account(world, balance="1000.00")
    await world.instance("i-1", expires="2027-03-31", price="20.00")
    request = policy.PolicyRequest(selection.ById(("i-1",)), model.RenewalMode.NONE)
    await policy.set_policy("a", request, clocks.utc_now)


@pytest.fixture
async def receiver() -> AsyncIterator[webhook_receiver.Receiver]:
    """A receiver that refuses each message."""
    async with webhook_receiver.listening(webhook_receiver.always(500)) as listening:
        yield listening


@pytest.fixture
async def page(
    world: World, account: None, receiver: webhook_receiver.Receiver, database_url: str, redis_url: str
) -> AsyncIterator[async_api.Page]:
    """The page, with animations, of a server that is allowed to send to the receiver."""
    async with (
        pages.served(
            database_url,
            redis_url,
            RENEWALS_WEBHOOK_HTTP="true",
            RENEWALS_WEBHOOK_PORTS=str(receiver.port),
            RENEWALS_WEBHOOK_NETWORKS="127.0.0.0/8",
        ) as server,
        pages.opened(world, server, "webhooks", reduced_motion="no-preference") as page,
    ):
        yield page


async def test_a_webhook_is_added_tested_and_edited(
    page: async_api.Page, receiver: webhook_receiver.Receiver
) -> None:
    dialog, status = page.get_by_role("dialog"), page.get_by_role("status")
    url = dialog.get_by_label("接收地址（HTTPS）")
    await page.get_by_role("button", name="添加地址").click(timeout=pages.WAIT_MS_MAX)
    await url.fill(REFUSED)
    await dialog.get_by_role("button", name="添加地址").click()
    await expect(dialog.get_by_role("alert")).to_be_visible(timeout=pages.WAIT_MS_MAX)
    await url.fill(receiver.url)
    await dialog.get_by_role("button", name="添加地址").click()
    await expect(status).to_contain_text("签名密钥", timeout=pages.WAIT_MS_MAX)

    await page.get_by_role("button", name="发送测试").click()
    await expect(status.last).to_contain_text("HTTP 500 · a word", timeout=pages.WAIT_MS_MAX)
    receiver.answer = webhook_receiver.accept
    await page.get_by_role("button", name="发送测试").click()
    await expect(status.last).to_contain_text("测试发送成功（HTTP 204）", timeout=pages.WAIT_MS_MAX)

    await page.get_by_role("button", name=EDIT).click()
    await url.fill(REFUSED)
    await dialog.get_by_role("button", name=SAVE).click()
    await expect(dialog.get_by_role("alert")).to_be_visible(timeout=pages.WAIT_MS_MAX)
    await url.fill(f"{receiver.url}/2")
    await dialog.get_by_label("事件类型").fill("续费方式变更")
    await page.locator(".ant-select-item-option", has_text="续费方式变更").click()
    await dialog.locator(".ant-modal-title").click()
    await dialog.get_by_role("button", name=SAVE).click()
    await expect(page.locator(".ant-card-head")).to_contain_text("/hook/2", timeout=pages.WAIT_MS_MAX)
    await expect(page.locator(".ant-descriptions")).to_contain_text("续费方式变更")


async def test_a_webhook_can_get_a_new_secret_repeat_a_delivery_and_be_deleted(
    world: World, account: None, page: async_api.Page
) -> None:
    request = endpoint_requests.EndpointRequest("https://receiver.example/hook", (), "key")
    created = await endpoints.create("a", request, clocks.utc_now)
    await world.rows(
        """INSERT INTO webhook_deliveries (endpoint_id, account_id, sequence, lane, attempts, parked_at,
             last_status, last_response)
           SELECT e.id, 'a', 1, 'i-1', 9, now(), 503, 'down' FROM webhook_endpoints e"""
    )
    await page.reload()
    await page.get_by_role("button", name="更换密钥").click(timeout=pages.WAIT_MS_MAX)
    await page.get_by_role("tooltip").get_by_role("button", name=CONFIRM).click()
    code = page.get_by_role("status").locator("code")
    await expect(code).to_contain_text("whsec_", timeout=pages.WAIT_MS_MAX)
    assert await code.inner_text() != created.secret
    await expect(pages.row(page, "HTTP 503 · down")).to_contain_text("已停止重试", timeout=pages.WAIT_MS_MAX)
    await page.get_by_role("button", name="重新发送").click()
    await expect(pages.row(page, "等待重试")).to_be_visible(timeout=pages.WAIT_MS_MAX)

    await page.get_by_role("button", name=DISABLE).click()
    await expect(page.get_by_text("已停用")).to_be_visible(timeout=pages.WAIT_MS_MAX)
    await pages.expect_accessible(page)
    await pages.expect_no_sideways_scroll(page)
    await page.get_by_role("button", name=DELETE).click()
    await page.get_by_role("tooltip").get_by_role("button", name=CONFIRM).click()
    await expect(page.get_by_text("尚未添加接收地址")).to_be_visible(timeout=pages.WAIT_MS_MAX)
