"""Text that `renewals up` prints when everything runs: addresses, keys, a first query, and how to start over."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich import cells

from renewals import config
from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.i18n import catalogs


class Keys(NamedTuple):
    """The demo account's key, if that account exists, and an operator's key."""

    demo: str | None
    operator: str


_NO_DEMO = Message(
    "The database already has accounts, so the demo account was not loaded. `renewals demo` loads it."
)
_OPEN_CONSOLE = Message("Open {page} in a browser{moved}: the console has the demo account's key filled in.")
_OPEN_GRAPHIQL = Message("Open {page} in a browser{moved}: GraphiQL has the operator's key filled in.")
_MOVED = Message(" (port {port} was taken)")
_TRY_IT = Message("Try it:")
_STOP = Message("Ctrl-C stops everything.")
_CLOCK = Message(
    "The clock of the demo account starts at 2027-01-15 10:00 in Shanghai; `renewals clock demo --to INSTANT` or "
    "advanceTestClock moves it forward."
)
_SHELL = Message("In another shell, run `. {folder}/env` to set variables with the addresses and the keys.")
_TUTORIAL = Message("Next, follow docs/tutorial.md.")
_TUTORIAL_PATH = Path(__file__).parents[2] / "docs/tutorial.md"
"""The path of the tutorial in a checkout of the repository. An installed wheel does not contain it."""
_RESET_DATABASE = Message(
    "To start over, stop Renewals, empty the database that DATABASE_URL names, and start Renewals again."
)
_RESET_FOLDERS = Message(
    "To start over, stop Renewals, remove the data with `{command}`, and start Renewals again."
)


def build_banner(
    address: str,
    keys: Keys,
    environment: Mapping[str, str],
    settings: config.Settings,
    folders: Sequence[Path],
    language: Language,
) -> str:
    """Return the text for a running API at `address`; `folders` are the folders of the servers' data."""
    is_moved = environment["RENEWALS_PORT"] != str(settings.port) and settings.port != 0
    moved = _MOVED.fill(port=str(settings.port)) if is_moved else ""
    if keys.demo:
        first = _OPEN_CONSOLE.fill(page=f"{address}/", moved=moved)
        api, key = f"{address}/graphql", keys.demo
        query = "{ account { name balance } instances { totalCount } }"
    else:
        api, key = f"{address}/operator/graphql", keys.operator
        first = _OPEN_GRAPHIQL.fill(page=api, moved=moved)
        query = "{ accounts { totalCount nodes { id name balance } } }"
    curl = f"curl -s {shlex.quote(api)}"  # zsh would expand the brackets of an IPv6 address
    separator = "" if language is Language.ZH else " "
    next_steps = "\n".join(
        separator.join(catalogs.translate(sentence, language) for sentence in line)
        for line in _next_steps(keys, settings, folders)
    )
    return f"""
{catalogs.translate(first, language)}

{_build_table(address, keys, environment, language)}

{catalogs.translate(_TRY_IT, language)}
{curl} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{"query":"{query}"}}'

{next_steps}
{catalogs.translate(_STOP, language)}
"""


def _build_table(address: str, keys: Keys, environment: Mapping[str, str], language: Language) -> str:
    """Return the addresses and the keys with their labels, one on each line, aligned for a terminal."""
    rows: list[tuple[Message | str, str]] = [
        (Message("Console"), f"{address}/console/"),
        (Message("GraphQL and GraphiQL"), f"{address}/graphql"),
        (Message("The provider's side"), f"{address}/operator/graphql"),
        ("PostgreSQL", environment["DATABASE_URL"]),
        ("Redis", environment["REDIS_URL"]),
        *([(Message("Demo API key"), keys.demo)] if keys.demo else []),
        (Message("Operator key"), keys.operator),
    ]
    labels = [label if isinstance(label, str) else catalogs.translate(label, language) for label, _ in rows]
    width = max(map(cells.cell_len, labels)) + 2
    return "\n".join(
        cells.set_cell_size(label, width) + value for label, (_, value) in zip(labels, rows, strict=True)
    )


def _next_steps(
    keys: Keys, settings: config.Settings, folders: Sequence[Path]
) -> Sequence[Sequence[Message]]:
    """Return the last lines: the next steps, and how to start over.

    If the demo account is missing, they say how to load it instead.
    """
    shell = _SHELL.fill(folder=str(settings.data_dir))
    if keys.demo is None:
        return [[_NO_DEMO], [shell]]
    tutorial = [_TUTORIAL] if _TUTORIAL_PATH.is_file() else []
    return [[_CLOCK], [*tutorial, shell], [_reset_instructions(settings, folders)]]


def _reset_instructions(settings: config.Settings, folders: Sequence[Path]) -> Message:
    """Return the instructions for starting over.

    If root starts the servers, their data may be outside the data folder.
    """
    if settings.database_url:
        return _RESET_DATABASE
    data_folder = settings.data_dir.resolve()
    outside = [folder for folder in folders if not folder.resolve().is_relative_to(data_folder)]
    return _RESET_FOLDERS.fill(command=shlex.join(["rm", "-r", *map(str, [settings.data_dir, *outside])]))
