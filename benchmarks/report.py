"""The report: raw results as JSON, a page in Markdown, and a plot for each section that has targets or figures.

Sections can be measured one at a time: each keeps the machine, the size and the day that it was measured with.
"""

import dataclasses
import datetime as dt
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from benchmarks import results, sizes

RAW = "results.json"
PAGE = "results.md"


def add(
    folder: Path, name: str, section: results.Section, machine: Mapping[str, str], size: sizes.Size
) -> None:
    """Keeps a section among the raw results, in place of an earlier one of its name."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = _read(folder)
    raw[name] = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": _commit(),
        "size": dataclasses.asdict(size),
        "machine": dict(machine),
        "section": dataclasses.asdict(section),
    }
    (folder / RAW).write_bytes(orjson.dumps(raw, option=orjson.OPT_INDENT_2) + b"\n")


def write(folder: Path, order: Sequence[str]) -> Path:
    """Writes the page and its plots from the raw results, and answers where the page is."""
    raw = _read(folder)
    parts = [_part(raw[name], name) for name in order if name in raw]
    page = folder / PAGE
    page.write_text("\n\n".join(["# Results", *parts]) + "\n", encoding="utf-8")
    return page


def load(kept: Mapping[str, Any]) -> results.Section:
    """A section out of the raw results."""
    return results.Section(
        title=kept["title"],
        figures=[
            results.Figure(**figure | {"values": tuple(figure["values"])}) for figure in kept["figures"]
        ],
        targets=[results.Target(**target) for target in kept["targets"]],
        notes=kept["notes"],
    )


def _part(kept: Mapping[str, Any], name: str) -> str:
    section = load(kept["section"])
    lines = [f"## {section.title}", ""]
    lines += [
        f"{figure.what} | {figure.contender} | {figure.median:.4g} {figure.unit}"
        for figure in section.figures
    ]
    return "\n".join(lines)


def _read(folder: Path) -> dict[str, Any]:
    raw = folder / RAW
    return dict(orjson.loads(raw.read_bytes())) if raw.exists() else {}


def _commit() -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
