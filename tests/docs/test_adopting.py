"""Every command of docs/adopting.md succeeds in one shell, on a database that is empty at first."""

import shutil
from pathlib import Path

import asyncpg
import pytest

from tests.docs import pages
from tests.support.waiting import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adopting.md"
SHELL = "set -euo pipefail; trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands use curl")
async def test_the_commands_renew_an_instance_and_deliver_its_webhook(
    empty_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    script = SHELL + "\n".join(pages.SHELL_BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    text = await pages.run_script(
        script,
        tmp_path,
        DATABASE_URL=empty_database_url,
        REDIS_URL=redis_url,
        RENEWALS_PORT=str(free_port()),
        CONSUMER_PORT=str(free_port()),
        EXAMPLES=str(ROOT / "examples"),
    )
    assert (
        '{"__typename":"RenewInstancesSuccess","order":{"total":"300.00"},"account":{"balance":"950.00"}}'
        in text
    )
    connection = await asyncpg.connect(empty_database_url)
    try:
        expires_at = await connection.fetchval("SELECT expires_at FROM instances WHERE id = 'web-1'")
    finally:
        await connection.close()
    assert f'{{"web-1":"{expires_at.isoformat()}"}}' in text
    assert "BROKEN" not in text
