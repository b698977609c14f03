"""The console's dialogs on an account that the test creates: the list, the dialog above it, and actions on both."""

import contextlib
import re
from collections.abc import AsyncIterator

from playwright import async_api
from playwright.async_api import expect

from tests.browser import chromium, pages
from tests.support import live_server
from tests.support.fixtures import World

TABS_MAX = 80

TEXTS = {
    "zh-CN": {
        "renew": "续费",
        "more": "更多",
        "renew bundle": "整组续费",
        "set auto": "设为自动续费",
        "unify": "统一到期时间",
        "tags": "编辑标签",
        "to a date": "统一到指定日期",
        "confirm": "确定",
        "pay": "立即支付",
        "done": "完成",
        "paid": "支付成功",
        "1 year": "1 年",
        "3 years": "3 年",
        "discount": "8.3 折",
        "to pay": "应付金额",
        "balance after": "支付后余额",
        "from vouchers": "代金券抵扣",
        "will change 2": "将修改 2 个实例的续费方式",
        "1 cannot be set": "1 个实例不能修改",
        "expired": "实例已过期",
        "auto": "自动续费（1 个月）",
        "set": "设置成功",
        "bundle": "强关联组“Bundle b-1”",
        "too long": "超出最长续费期限",
        "the others": "仅为其余 1 个实例续费",
        "missing": "余额不足，还差 ¥200.00",
        "refresh": "刷新",
        "check": "确认支付结果",
        "do not check": "不再确认",
        "go on": "继续本次操作",
        "read only": "当前账户只有查看权限，不能进行此操作。",
    },
    "en-US": {
        "renew": "Renew",
        "more": "More",
        "renew bundle": "Renew bundle",
        "set auto": "Set to auto-renewal",
        "unify": "Unify expiry",
        "tags": "Edit tags",
        "to a date": "To a date",
        "confirm": "Confirm",
        "pay": "Pay now",
        "done": "Done",
        "paid": "Paid",
        "1 year": "1 year",
        "3 years": "3 years",
        "discount": "17% off",
        "to pay": "To pay",
        "balance after": "Balance afterwards",
        "from vouchers": "From vouchers",
        "will change 2": "The renewal mode of 2 instances will change",
        "1 cannot be set": "1 instance cannot be changed",
        "expired": "Instance has expired",
        "auto": "Auto-renewal (1 month)",
        "set": "The renewal mode was set",
        "bundle": "the bundle “Bundle b-1”",
        "too long": "Longest term exceeded",
        "the others": "Renew the other one only",
        "missing": "Not enough money: ¥200.00 is missing",
        "refresh": "Refresh",
        "check": "Check the result",
        "do not check": "Do not check",
        "go on": "Continue",
        "read only": "You can view this account but not change it.",
    },
}


class DialogPage:
    """The list of instances with a dialog above it."""

    def __init__(self, page: async_api.Page, locale: str) -> None:
        self.page = page
        self.texts = TEXTS[locale]
        self.dialog = page.get_by_role("dialog")

    async def open_batch(self, operation: str, *instance_ids: str) -> None:
        """Select instances, and press the button of an operation above the table."""
        for instance_id in instance_ids:
            await self.row(instance_id).get_by_role("checkbox").check()
        await self.page.locator("section").get_by_role("button", name=self.name(operation)).click()
        await expect(self.dialog).to_be_visible(timeout=pages.WAIT_MS_MAX)

    async def open_row(self, operation: str, instance_id: str) -> None:
        """Press a button in the row of an instance."""
        name = f"{self.texts[operation]} {instance_id}"
        await self.page.get_by_role("button", name=name, exact=True).click()
        await expect(self.dialog).to_be_visible(timeout=pages.WAIT_MS_MAX)

    async def press(self, button: str) -> None:
        """Press a button of the dialog as soon as it is enabled."""
        await self.button(button).click(timeout=pages.WAIT_MS_MAX)

    async def choose(self, text: str) -> None:
        """Choose a duration or a kind of target."""
        await self.dialog.locator("label").filter(has_text=self.texts[text]).first.click()

    async def shows(self, *parts: str) -> None:
        """Wait until the dialog shows all texts, given literally or by name."""
        for part in parts:
            await expect(self.dialog).to_contain_text(self.texts.get(part, part), timeout=pages.WAIT_MS_MAX)

    async def tab_to(self, target: async_api.Locator, *, key: str = "Tab") -> None:
        """Move the focus to an element with the Tab key."""
        for _ in range(TABS_MAX):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press(key)
        raise AssertionError(f"{key} does not reach {target}")

    async def close(self) -> None:
        """Close the dialog with the Escape key."""
        await self.page.keyboard.press("Escape")
        await expect(self.dialog).to_have_count(0)

    def row(self, instance_id: str) -> async_api.Locator:
        """Return the row of an instance."""
        return self.page.locator(f"main tr[data-row-key='{instance_id}']")

    def button(self, button: str) -> async_api.Locator:
        """Return a button of the dialog."""
        return self.dialog.get_by_role("button", name=self.name(button))

    def name(self, text: str) -> re.Pattern[str]:
        """Return the accessible name of a button. antd inserts a space between two Chinese characters."""
        return re.compile("^" + r"\s?".join(map(re.escape, self.texts[text])) + "$")


@contextlib.asynccontextmanager
async def opened(
    world: World,
    server: live_server.LiveServer,
    locale: str = "zh-CN",
    *,
    role: str = "RENEWER",
    viewport: async_api.ViewportSize = pages.VIEWPORT,
    reduced_motion: chromium.Motion = "reduce",
) -> AsyncIterator[DialogPage]:
    """Open the list as a customer. The test fails if a script of the page causes an error."""
    key = await world.key(role=role)
    problems: list[str] = []
    async with await chromium.new_context(
        locale=locale, viewport=viewport, reduced_motion=reduced_motion
    ) as context:
        await context.add_init_script(
            f"sessionStorage.getItem('renewals.token') ?? sessionStorage.setItem('renewals.token', '{key}')"
        )
        page = await context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        await page.goto(f"http://{server.address}/console/")
        await page.locator("tbody tr.ant-table-row").first.wait_for(timeout=pages.WAIT_MS_MAX)
        yield DialogPage(page, locale)
    assert problems == []


async def count_orders(world: World) -> tuple[int, int]:
    """Return the number of orders and of their lines."""
    return await world.count("orders"), await world.count("order_lines")
