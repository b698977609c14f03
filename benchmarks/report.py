"""The report: raw results as JSON, a page in Markdown, and a plot for each section.

Sections can be measured separately: each is stored with its machine, size, commit and day.
"""

import dataclasses
import datetime as dt
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks import plots, results, sizes

RAW = "results.json"
PAGE = "results.md"
INTRODUCTION = (
    "`make bench` writes this page. Each figure is the median of its rounds, followed by the lowest and the highest "
    "value."
)
DIRTY = "-dirty"
BEGIN, END = "<!-- begin: written by python -m benchmarks -->", "<!-- end -->"


class RecordedSection(NamedTuple):
    """A section with the conditions of its measurement."""

    name: str
    section: results.Section
    measured_on: str
    commit: str
    size: str
    machine: Mapping[str, str]


def add(
    folder: Path,
    name: str,
    section: results.Section,
    machine: Mapping[str, str],
    size: sizes.Size,
    commit_name: str,
) -> None:
    """Store a section in the raw results, replacing an earlier section of the same name."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = _read(folder)
    raw[name] = {
        "measured_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "commit": commit_name,
        "size": size.name,
        "machine": dict(machine),
        "section": dataclasses.asdict(section),
    }
    (folder / RAW).write_bytes(orjson.dumps(raw, option=orjson.OPT_INDENT_2) + b"\n")


def is_measured(folder: Path, name: str, commit_name: str, size: sizes.Size) -> bool:
    """Return whether the raw results have the section at this commit and size."""
    stored = _read(folder).get(name, {})
    return (stored.get("commit"), stored.get("size")) == (commit_name, size.name)


def commit(published: Path) -> str:
    """Return the short id of HEAD, with the suffix DIRTY if a file outside the published results has changed."""
    changed = _git("status", "--porcelain", "--", ".", f":!{published}", f":!{published.with_suffix('.md')}")
    return _git("rev-parse", "--short", "HEAD") + (DIRTY if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()


def write(folder: Path, order: Sequence[str]) -> Path:
    """Write the page and its plots from the raw results; return the page's path.

    Also write the summary between the marks of the page beside the folder, such as docs/performance.md.
    """
    raw = _read(folder)
    recorded_sections = [_load(name, raw[name]) for name in order if name in raw]
    for recorded in recorded_sections:
        plots.draw(recorded.section, folder / f"{recorded.name}.png")
    page = folder / PAGE
    parts = ["# Results", INTRODUCTION, *summary(recorded_sections)]
    for recorded in recorded_sections:
        parts += _part(recorded)
    parts += ["## Machine", *_machines(recorded_sections)]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    _fill(folder.with_suffix(".md"), "\n\n".join(summary(recorded_sections)))
    return page


def summary(recorded_sections: Sequence[RecordedSection]) -> Iterator[str]:
    """Yield a table of all targets and a sentence on how many were reached; yield nothing if there are no targets."""
    targets = [target for recorded in recorded_sections for target in recorded.section.targets]
    if not targets:
        return
    yield _table(
        ("what", "ours", "theirs", "times better", "target", ""),
        [
            (
                target.what,
                _number(target.ours),
                _number(target.peer),
                f"{target.ratio:.2f}",
                f"{target.at_least:g}",
                "reached" if target.is_reached else "**not reached**",
            )
            for target in targets
        ],
    )
    missed = sum(not target.is_reached for target in targets)
    if missed:
        yield f"{missed} of {len(targets)} targets were not reached."
    else:
        yield f"All {len(targets)} targets were reached."


def _part(recorded: RecordedSection) -> Iterator[str]:
    section = recorded.section
    yield f"## {section.title}"
    commit_name = f"commit {recorded.commit}" if recorded.commit else "an unknown commit"
    yield f"Measured on {recorded.measured_on} at {commit_name}, with the size `{recorded.size}`."
    yield "\n".join(f"- {note}" for note in section.notes)
    yield f"![{section.title}]({recorded.name}.png)"
    for title, table in _tables(section):
        contenders = dict.fromkeys(contender for contender, _ in table)
        columns = list(dict.fromkeys(column for _, column in table))
        rows = [(name, *(_cell(table.get((name, column))) for column in columns)) for name in contenders]
        yield _table((title, *columns), rows)


def _tables(section: results.Section) -> Iterator[tuple[str, Mapping[tuple[str, str], results.Figure]]]:
    """Yield each table of a section: its title, and its figures by contender and column."""
    whole, column = ("what", "unit") if section.units_together else ("unit", "what")
    for title in dict.fromkeys(getattr(figure, whole) for figure in section.figures):
        yield (
            title,
            {(f.contender, getattr(f, column)): f for f in section.figures if getattr(f, whole) == title},
        )


def _cell(figure: results.Figure | None) -> str:
    if figure is None:
        return "–"
    spread = f" ({_number(figure.low)}–{_number(figure.high)})" if len(figure.values) > 1 else ""
    return _number(figure.median) + spread


def _machines(recorded_sections: Sequence[RecordedSection]) -> Iterator[str]:
    """Yield a table for each machine; if there are several, also the titles of the sections measured on each."""
    machines: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for recorded in recorded_sections:
        machines.setdefault(tuple(recorded.machine.items()), []).append(recorded.section.title)
    for machine, titles in machines.items():
        if len(machines) > 1:
            yield f"This machine measured: {'; '.join(titles)}."
        yield _table(("", ""), machine)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _number(value: float) -> str:
    decimals = 0 if abs(value) >= 1_000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{decimals}f}"


def _load(name: str, stored: Mapping[str, Any]) -> RecordedSection:
    raw = stored["section"]
    section = results.Section(
        title=raw["title"],
        figures=[results.Figure(**figure | {"values": tuple(figure["values"])}) for figure in raw["figures"]],
        targets=[results.Target(**target) for target in raw["targets"]],
        notes=raw["notes"],
        units_together=raw.get("units_together", False),
    )
    return RecordedSection(
        name, section, stored["measured_on"], stored["commit"], stored["size"], stored["machine"]
    )


def _fill(page: Path, text: str) -> None:
    """Replace the text between BEGIN and END in a page, if the page exists and contains BEGIN."""
    if page.exists() and BEGIN in (content := page.read_text(encoding="utf-8")):
        before, _, rest = content.partition(BEGIN)
        page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _read(folder: Path) -> dict[str, Any]:
    raw = folder / RAW
    return dict(orjson.loads(raw.read_bytes())) if raw.exists() else {}
