"""Text that `renewals up` prints when everything runs: addresses, keys, a first query, and how to start over."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from renewals import config

NO_DEMO = "The database has accounts of its own, so the demo account is not loaded: `renewals demo` loads it."


class Keys(NamedTuple):
    """The demo account's key, if that account exists, and an operator's key."""

    demo: str | None
    operator: str


def build_banner(
    address: str,
    keys: Keys,
    environment: Mapping[str, str],
    settings: config.Settings,
    folders: Sequence[Path],
) -> str:
    """Return the text for a running API at `address`; `folders` are the folders of the servers' data."""
    is_moved = environment["RENEWALS_PORT"] != str(settings.port) and settings.port != 0
    moved = f" (port {settings.port} was taken)" if is_moved else ""
    if keys.demo:
        page, name, owner = f"{address}/", "the console", "the demo account's"
        api, key = f"{address}/graphql", keys.demo
        query = "{ account { name balance } instances { totalCount } }"
    else:
        page, name, owner = f"{address}/operator/graphql", "GraphiQL", "the operator's"
        key = keys.operator
        api, query = page, "{ accounts { totalCount nodes { id name balance } } }"
    demo_key = f"Demo API key          {keys.demo}\n" if keys.demo else ""
    return f"""
Open {page} in a browser{moved}: {name} has {owner} key filled in.

Console               {address}/console/
GraphQL and GraphiQL  {address}/graphql
The provider's side   {address}/operator/graphql
PostgreSQL            {environment["DATABASE_URL"]}
Redis                 {environment["REDIS_URL"]}
{demo_key}Operator key          {keys.operator}

Try it:
curl -s {api} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{"query":"{query}"}}'

{_next_steps(keys, settings, folders)}
Ctrl-C stops everything.
"""


def _next_steps(keys: Keys, settings: config.Settings, folders: Sequence[Path]) -> str:
    """Return the last sentences; they do not suggest emptying a database with other accounts than the demo."""
    shell = f"`. {settings.data_dir}/env` names the addresses and the keys."
    if keys.demo is None:
        return f"{NO_DEMO}\nIn another shell, {shell}"
    clock = (
        "The demo account stands at 2027-01-15 10:00 in Shanghai; `renewals clock demo --to INSTANT` or "
        "advanceTestClock moves it on."
    )
    tutorial = f"{clock}\nNext, follow docs/tutorial.md. In another shell, {shell}"
    return f"{tutorial}\n{_reset_instructions(settings, folders)}"


def _reset_instructions(settings: config.Settings, folders: Sequence[Path]) -> str:
    """Return how to start over; as root, the servers' data may be outside the data folder."""
    if settings.database_url:
        return "To start over, stop this, empty the database that DATABASE_URL names, and start again."
    data_folder = settings.data_dir.resolve()
    outside = [folder for folder in folders if not folder.resolve().is_relative_to(data_folder)]
    remove = shlex.join(["rm", "-r", *map(str, [settings.data_dir, *outside])])
    return f"To start over, stop this, remove the data with `{remove}`, and start again."
