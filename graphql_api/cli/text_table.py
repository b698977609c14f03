"""Tables as plain text, with Chinese characters two columns wide."""

import io
from collections.abc import Iterable, Sequence

from rich import cells, console, table

WIDTH_MAX = 10_000
"""The maximum width of a row, in terminal columns. Rows are narrower, so scripts can read each row as one line."""


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: frozenset[int]) -> str:
    """Return the rows as lines below the header; columns not in `text_columns` are aligned to the right."""
    grid = table.Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    for number, name in enumerate(header):
        grid.add_column(name, justify="left" if number in text_columns else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    terminal = console.Console(
        file=io.StringIO(), width=WIDTH_MAX, color_system=None, markup=False, emoji=False, highlight=False
    )
    with terminal.capture() as capture:
        terminal.print(grid)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def pad_left(text: str, width: int) -> str:
    """Return the text with spaces before it, at least `width` columns wide."""
    return " " * (width - cells.cell_len(text)) + text


def pad_right(text: str, width: int) -> str:
    """Return the text with spaces after it, at least `width` columns wide."""
    return text + " " * (width - cells.cell_len(text))
