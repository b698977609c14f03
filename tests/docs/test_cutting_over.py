"""Every command of docs/cutting-over.md succeeds in one shell, on a database that is empty at first."""

import re
from pathlib import Path

import asyncpg

from tests.docs import pages

PAGE = Path(__file__).parents[2] / "docs" / "cutting-over.md"


async def test_renewals_begin_at_the_cut_over_and_stop_when_it_is_reverted(
    empty_database_url: str, tmp_path: Path
) -> None:
    blocks = pages.SHELL_BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    script = "set -euo pipefail\n" + "echo '=== block'\n".join(blocks)
    text = await pages.run_script(script, tmp_path, DATABASE_URL=empty_database_url)
    _, nightly, manual, _, night, run, back = text.split("=== block\n")
    assert re.findall(r"(\d) changed", nightly) == ["1", "1"], nightly
    assert sums(manual) == ["3", "0.00", "0.00", "0.00", "0.00"], manual
    assert sums(night) == ["1", "1", "500.00", "0.00", "500.00", "0.00"], night
    assert "1 renewed for 500.00, 0 refused" in run, run
    assert "cn-1001  db-1  renewed for 500.00" in run, run
    assert "BROKEN" not in run
    assert sums(back) == ["1", "0.00", "0.00", "0.00", "0.00"], back  # web-1 is unchanged
    connection = await asyncpg.connect(empty_database_url)
    try:
        attempts = await connection.fetch("SELECT instance_id FROM renewal_attempts")
        balances = await connection.fetch("SELECT balance_cents FROM accounts ORDER BY id")
    finally:
        await connection.close()
    assert [row["instance_id"] for row in attempts] == ["db-1"]
    assert [row["balance_cents"] for row in balances] == [500_00, 50_00]


def sums(text: str) -> list[str]:
    """Return the numbers in the line of totals."""
    return re.findall(r"[\d.]+", "".join(re.findall(r"^ +total (.*)  CNY", text, re.MULTILINE)))
