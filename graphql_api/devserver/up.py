"""`renewals up`: start the servers, migrate the database, load the demo account, and start the API and the worker.

The demo account is loaded only if the database has no accounts. At the end, all of these processes are stopped.
"""

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
from collections.abc import Iterator, Mapping
from pathlib import Path

import typer

from graphql_api.devserver import banner, new_keys, reaper, services
from graphql_api.devserver.banner import Keys
from graphql_api.server import bootstrap
from renewals import config
from renewals.accounts import api_keys
from renewals.db import connection as database
from renewals.db import migrate
from renewals.demo import loader
from renewals.domain import clock as clocks
from renewals.domain import errors, model
from renewals.domain.messages import Message
from renewals.i18n import catalogs

START_SECONDS_MAX = 120
"""The maximum time for the API to start. After an installation, a busy machine may need a minute to compile modules."""
STOP_SECONDS_MAX = 40.0
POLL_SECONDS = 0.05
_KEY_LINE = "export GRAPHQL_KEY="
_OPERATOR_KEY_LINE = "export OPERATOR_KEY="


class ChildError(Exception):
    """The API or the worker could not start, or ended before it was stopped. `message` describes the problem."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def run(settings: config.Settings, language: model.Language) -> int:
    """Run everything until Ctrl-C or SIGTERM; return the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with contextlib.ExitStack() as servers:
            environment, folders = _start_servers(settings, language, servers)
            env_path = settings.data_dir / "env"
            _say(
                Message("Migrating the database; an empty database gets the demo account ..."),
                language,
            )
            keys = bootstrap.run(_prepare(environment["DATABASE_URL"], settings, _read_keys(env_path)))
            if keys.demo is not None:
                environment["RENEWALS_GRAPHIQL_KEY"] = keys.demo
            environment["RENEWALS_GRAPHIQL_OPERATOR_KEY"] = keys.operator
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            address = f"http://{host}:{environment['RENEWALS_PORT']}"
            _write_env_file(env_path, address, keys, environment)
            _say(Message("Starting the API and the worker ..."), language)
            children = {
                name: servers.enter_context(_child(name, environment)) for name in ("serve", "worker")
            }
            _await_health(address, children)
            _echo(banner.build_banner(address, keys, environment, settings, folders, language))
            _watch(children)
    except KeyboardInterrupt:
        _say(Message("stopped"), language)
    except (ChildError, errors.InvalidInputError) as problem:
        typer.echo(catalogs.translate(problem.message, language), err=True)
        return 1
    return 0


def _start_servers(
    settings: config.Settings, language: model.Language, running: contextlib.ExitStack
) -> tuple[dict[str, str], list[Path]]:
    """Start each server that has no URL in the settings.

    Return the environment of the API and the worker, and the folders with data.
    """
    database_url, redis_url, folders = settings.database_url, settings.redis_url, [settings.data_dir]
    if database_url is None:
        _say(Message("Starting PostgreSQL ..."), language)
        postgres = running.enter_context(services.Postgres(settings.data_dir))
        database_url = postgres.url
        folders.append(postgres.folder)
    if redis_url is None:
        _say(Message("Starting Valkey ..."), language)
        valkey = running.enter_context(services.Valkey(settings.data_dir))
        redis_url = valkey.url
        folders.append(valkey.folder)
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "RENEWALS_CONSOLE": "true",
        "RENEWALS_GRAPHIQL": "true",
        "RENEWALS_INTROSPECTION": "true",
        "RENEWALS_OPERATOR_API": "true",
        "RENEWALS_PORT": str(_free_port(settings.host, settings.port)),
    }
    return environment, folders


async def _prepare(database_url: str, settings: config.Settings, earlier: Keys) -> Keys:
    """Migrate the database, load the demo account if there are no accounts, and return the keys.

    An earlier key that is no longer valid is replaced by a new one. The demo account's key is None if that account does
    not exist.
    """
    await migrate.migrate(database_url)
    async with database.connect(database_url):
        now = clocks.utc_now()
        has_demo = await loader.load_into_empty()
        customer, operator = [await api_keys.authenticate(database.pool(), key or "", now) for key in earlier]
        is_demo = customer is not None and customer.account_id == loader.ACCOUNT_ID
        is_operator = operator is not None and operator.role is model.Role.OPERATOR
        customer_key = (earlier.demo if is_demo else await new_keys.create_for_demo()) if has_demo else None
        return Keys(
            customer_key,
            earlier.operator if is_operator else await new_keys.create_for_operator("renewals up"),
        )


def _read_keys(path: Path) -> Keys:
    """Return the keys that an earlier start wrote to the file, or empty texts. The database has only hashes of keys."""
    lines = path.read_text().splitlines() if path.exists() else []
    return Keys(
        *[
            next((line.removeprefix(start) for line in lines if line.startswith(start)), "")
            for start in (_KEY_LINE, _OPERATOR_KEY_LINE)
        ]
    )


def _write_env_file(path: Path, address: str, keys: Keys, environment: Mapping[str, str]) -> None:
    """Write shell variables for the running servers to a file, which a shell reads with `. FOLDER/env`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    customer_key = f"{_KEY_LINE}{keys.demo}\n" if keys.demo else ""
    path.write_text(
        f"""export DATABASE_URL={shlex.quote(environment["DATABASE_URL"])}
export REDIS_URL={shlex.quote(environment["REDIS_URL"])}
export GRAPHQL_URL={address}/graphql
{customer_key}export OPERATOR_URL={address}/operator/graphql
{_OPERATOR_KEY_LINE}{keys.operator}
"""
    )


@contextlib.contextmanager
def _child(name: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `renewals NAME` during the block in its own session, so that Ctrl-C reaches only this process."""
    command = [sys.executable, "-m", "graphql_api", name]
    child = subprocess.Popen(command, env=environment, start_new_session=True)
    reaper.register(child.pid)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGINT)  # unlike SIGTERM, SIGINT closes idle connections immediately
        try:
            child.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        reaper.unregister(child.pid)


def _free_port(host: str, wanted: int) -> int:
    """Return the wanted port or, if that is in use, any free port. Raises ChildError if there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    raise ChildError(
        Message("Cannot listen on {host}. Set RENEWALS_HOST to an address of this machine.", host=host)
    )


def _await_health(address: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
    # A proxy that the environment names is not used, because it cannot reach this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        _check_running(children)
        with (
            contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError),
            opener.open(f"{address}/readyz", timeout=5),
        ):
            return
        time.sleep(POLL_SECONDS)
    raise ChildError(
        Message(
            "The API at {address} was not ready within {seconds} s.",
            address=address,
            seconds=START_SECONDS_MAX,
        )
    )


def _watch(children: dict[str, subprocess.Popen[bytes]]) -> None:
    while True:
        _check_running(children)
        time.sleep(0.5)


def _check_running(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            raise ChildError(
                Message("`renewals {name}` ended with exit code {code}.", name=name, code=child.returncode)
            )


def _say(message: Message, language: model.Language) -> None:
    _echo(catalogs.translate(message, language))


def _echo(text: str) -> None:
    typer.echo(text)
    sys.stdout.flush()
