"""`renewals up`: servers, schema, demo account, API and worker, started together and stopped together."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import typer

from graphql_api.devserver import reaper, services
from graphql_api.server import bootstrap
from renewals import config
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.db import migrate
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import errors, model
from renewals.operators import api_keys as operators_api_keys
from renewals.operators import audit_log

START_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 40.0
POLL_SECONDS = 0.05
_KEY_LINE = "export GRAPHQL_KEY="
_OPERATOR_KEY_LINE = "export OPERATOR_KEY="


NO_DEMO = "The database has accounts of its own, so the demo account is not loaded: `renewals demo` loads it."


class Keys(NamedTuple):
    """The keys that `renewals up` shows: the demo account's, if it is there, and an operator's."""

    demo: str | None
    operator: str


class ChildError(Exception):
    """The API or the worker ended on its own."""


def run(settings: config.Settings) -> int:
    """Runs everything until Ctrl-C or SIGTERM; answers the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as servers:
            environment, folders = _servers(settings, servers)
            kept = settings.data_dir / "env"
            _say("Migrating, and loading the demo account where no other is ...")
            keys = bootstrap.run(_prepare(environment["DATABASE_URL"], settings, _kept_keys(kept)))
            if keys.demo is not None:
                environment["RENEWALS_GRAPHIQL_KEY"] = keys.demo
            environment["RENEWALS_GRAPHIQL_OPERATOR_KEY"] = keys.operator
            address = f"http://{settings.host}:{environment['RENEWALS_PORT']}"
            _keep(kept, address, keys, environment)
            _say("Starting the API and the worker ...")
            children = {
                name: servers.enter_context(_child(name, environment)) for name in ("serve", "worker")
            }
            _await_health(address, children)
            _print_banner(address, keys, environment, settings, folders)
            _watch(children)
    except KeyboardInterrupt:
        typer.echo("stopped")
    except (ChildError, errors.InvalidInputError) as problem:
        typer.echo(str(problem), err=True)
        return 1
    return 0


async def new_demo_key() -> str:
    """A new API key for the demo account."""
    return await api_keys.create(database.pool(), loader.ACCOUNT_ID, clocks.utc_now())


async def new_operator_key(name: str) -> str:
    """A new key of the operator API."""
    return await new_key(operators_api_keys.ApiKeyCreate(None, model.Role.OPERATOR, name))


async def new_key(request: operators_api_keys.ApiKeyCreate) -> str:
    """A new API key; the audit log says that it came from the command line. Raises DomainError."""
    call = audit_log.OperatorRequest(
        audit_log.Operator(None, "command line"), str(uuid.uuid4()), clocks.utc_now
    )
    secret = (await operators_api_keys.create_key(call, request)).secret
    assert secret is not None
    return secret


def _servers(settings: config.Settings, running: contextlib.ExitStack) -> tuple[dict[str, str], list[Path]]:
    """Start the servers whose addresses are not given.

    Return the environment of API and worker, and the folders of what is kept.
    """
    database_url, redis_url, folders = settings.database_url, settings.redis_url, [settings.data_dir]
    if not (database_url and redis_url):
        _say("Starting PostgreSQL and Valkey ...")
    if database_url is None:
        postgres = running.enter_context(services.Postgres(settings.data_dir))
        database_url = postgres.url
        folders.append(postgres.folder)
    if redis_url is None:
        valkey = running.enter_context(services.Valkey(settings.data_dir))
        redis_url = valkey.url
        folders.append(valkey.folder)
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "RENEWALS_GRAPHIQL": "true",
        "RENEWALS_INTROSPECTION": "true",
        "RENEWALS_OPERATOR_API": "true",
        "RENEWALS_PORT": str(_free_port(settings.host, settings.port)),
    }
    return environment, folders


async def _prepare(database_url: str, settings: config.Settings, kept: Keys) -> Keys:
    """Migrate, load the demo account into a database without accounts, and return keys that work."""
    await migrate.migrate(database_url)
    async with database.connect(database_url):
        now = clocks.utc_now()
        has_demo = await loader.load_into_empty(loader.today(now))
        customer, operator = [await api_keys.authenticate(database.pool(), key or "", now) for key in kept]
        is_demo = customer is not None and customer.account_id == loader.ACCOUNT_ID
        is_operator = operator is not None and operator.role is model.Role.OPERATOR
        customer_key = (kept.demo if is_demo else await new_demo_key()) if has_demo else None
        return Keys(
            customer_key,
            kept.operator if is_operator else await new_operator_key("renewals up"),
        )


def _kept_keys(path: Path) -> Keys:
    """The keys of an earlier start; only their hashes are in the database, so they are kept for the next one."""
    lines = path.read_text().splitlines() if path.exists() else []
    return Keys(
        *[
            next((line.removeprefix(start) for line in lines if line.startswith(start)), "")
            for start in (_KEY_LINE, _OPERATOR_KEY_LINE)
        ]
    )


def _keep(path: Path, address: str, keys: Keys, environment: Mapping[str, str]) -> None:
    """Writes what a shell needs to talk to the running servers: `. .renewals/env`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    customer_key = f"{_KEY_LINE}{keys.demo}\n" if keys.demo else ""
    path.write_text(
        f"""export DATABASE_URL={environment["DATABASE_URL"]}
export REDIS_URL={environment["REDIS_URL"]}
export GRAPHQL_URL={address}/graphql
{customer_key}export OPERATOR_URL={address}/operator/graphql
{_OPERATOR_KEY_LINE}{keys.operator}
"""
    )


@contextlib.contextmanager
def _child(name: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """One of our own commands, in a session of its own so that Ctrl-C reaches it through us, in order."""
    command = [sys.executable, "-m", "graphql_api", name]
    child = subprocess.Popen(command, env=environment, start_new_session=True)
    reaper.register(child.pid)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)  # which, unlike SIGTERM, waits for nobody who is idle
        try:
            child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        reaper.unregister(child.pid)


def _free_port(host: str, wanted: int) -> int:
    """The wanted port, or a free one where it is taken."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    raise ChildError(f"No port can be had on {host}.")


def _await_health(address: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    directly = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # a proxy cannot reach this machine
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        _refuse_ended(children)
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError),
            directly.open(f"{address}/readyz", timeout=5),
        ):
            return
        time.sleep(POLL_SECONDS)
    raise ChildError(f"The API did not answer at {address} within {START_SECONDS_MAX:.0f} s.")


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        _refuse_ended(children)
        time.sleep(0.5)


def _refuse_ended(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise ChildError(f"`renewals {name}` ended with exit code {child.returncode}.")


def _print_banner(
    address: str, keys: Keys, environment: dict[str, str], settings: config.Settings, folders: Sequence[Path]
) -> None:
    is_moved = environment["RENEWALS_PORT"] != str(settings.port) and settings.port != 0
    moved = f" (port {settings.port} was taken)" if is_moved else ""
    if keys.demo:
        page, whose, api, key = f"{address}/", "the demo account's", f"{address}/graphql", keys.demo
        query = "{ account { name balance } instances { totalCount } }"
    else:
        page, whose, key = f"{address}/operator/graphql", "the operator's", keys.operator
        api, query = page, "{ accounts { totalCount nodes { id name balance } } }"
    demo_key = f"Demo API key          {keys.demo}\n" if keys.demo else ""
    _say(
        f"""
Open {page} in a browser{moved}: GraphiQL has {whose} key filled in.

GraphQL and GraphiQL  {address}/graphql
The provider's side   {address}/operator/graphql
PostgreSQL            {environment["DATABASE_URL"]}
Redis                 {environment["REDIS_URL"]}
{demo_key}Operator key          {keys.operator}

Try it:
curl -s {api} -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{"query":"{query}"}}'

{_what_is_next(keys, settings, folders)}
Ctrl-C stops everything.
"""
    )


def _what_is_next(keys: Keys, settings: config.Settings, folders: Sequence[Path]) -> str:
    """Return the last sentences; nobody is told to empty a database that has accounts of its own."""
    shell = f"`. {settings.data_dir}/env` names the addresses and the keys."
    if keys.demo is None:
        return f"{NO_DEMO}\nIn another shell, {shell}"
    next_ = f"Next, follow docs/tutorial.md. In another shell, {shell}"
    return f"{next_}\n{_how_to_start_over(settings, folders)}"


def _how_to_start_over(settings: config.Settings, folders: Sequence[Path]) -> str:
    """Return the sentence; as root the servers' data may lie outside the data folder."""
    if settings.database_url:
        return "To start over, stop this, empty the database that DATABASE_URL names, and start again."
    kept = settings.data_dir.resolve()
    moved = [folder for folder in folders if not folder.resolve().is_relative_to(kept)]
    remove = shlex.join(["rm", "-r", *map(str, [settings.data_dir, *moved])])
    return f"To start over, stop this, remove the data with `{remove}`, and start again."


def _say(message: str) -> None:
    typer.echo(message)
    sys.stdout.flush()
