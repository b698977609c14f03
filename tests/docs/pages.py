"""Helpers that run the commands of a page in a shell, and compare their output with the page."""

import asyncio
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tests.support import forked_cli

SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SCRIPT_SECONDS_MAX = 180


def check_output(page: Path, blocks: Sequence[re.Match[str]], outputs: Sequence[str]) -> None:
    """Check that the last group of each block is the output; with UPDATE_DOCS=1, write the outputs instead."""
    if not os.environ.get("UPDATE_DOCS"):
        assert [block[block.re.groups] for block in blocks] == list(outputs)
        return
    text = page.read_text(encoding="utf-8")
    for block, output in reversed(list(zip(blocks, outputs, strict=True))):
        start, end = block.span(block.re.groups)
        text = text[:start] + output + text[end:]
    page.write_text(text, encoding="utf-8")


async def run_script(script: str, folder: Path, **variables: str) -> str:
    """Run the commands of a page in one shell, with the programs of this environment; return their output."""
    with forked_cli.installed() as environment:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-c", script),
            cwd=folder,
            env={**os.environ, **environment, "RENEWALS_LOG_LEVEL": "WARNING", "LC_ALL": "C.UTF-8"}
            | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), SCRIPT_SECONDS_MAX)
    text = output.decode()
    assert process.returncode == 0, text
    return text
