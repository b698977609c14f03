"""docs/adopting.md: every command runs in one shell on an empty database."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.support.live_server import free_port

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adopting.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_MAX = 180
SHELL = "set -euo pipefail; trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the page's commands use curl")
async def test_from_an_empty_database_to_a_webhook(
    empty_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    script = SHELL + "\n".join(BLOCK.findall(PAGE.read_text(encoding="utf-8")))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", script),
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": empty_database_url,
            "REDIS_URL": redis_url,
            "RENEWALS_PORT": str(free_port()),
            "CONSUMER_PORT": str(free_port()),
            "RENEWALS_LOG_LEVEL": "WARNING",
            "EXAMPLES": str(ROOT / "examples"),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    text = output.decode()
    assert process.returncode == 0, text
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
