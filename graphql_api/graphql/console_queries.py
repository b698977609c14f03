"""The documents of `examples/console_queries`, which GraphiQL opens in tabs and which the MCP tools send."""

from pathlib import Path

_IN_WHEEL = Path(__file__).with_name("console_queries")
_IN_REPOSITORY = Path(__file__).parents[2] / "examples/console_queries"


def read_all() -> tuple[str, ...]:
    """Return the documents in the order of their file names."""
    folder = _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_REPOSITORY
    return tuple(path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.graphql")))
