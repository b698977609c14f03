"""`renewals up`, `serve`, `worker` and `migrate`: start the processes and migrate the database."""

from pathlib import Path
from typing import Annotated

import typer

from graphql_api.cli import options, output_language
from graphql_api.server import bootstrap


def up(
    data_dir: Annotated[
        Path, typer.Option(help="Folder for the data of the servers and for the keys.", file_okay=False)
    ] = Path(".renewals"),
    lang: output_language.Lang = None,
) -> None:
    """Start everything on this machine.

    This starts PostgreSQL and Valkey (unless their URLs are set), the API and the worker.
    A database without accounts gets the demo account.
    """
    from graphql_api.devserver import binaries, up

    settings = options.replace_settings(bootstrap.configure(), {"data_dir": data_dir})
    try:
        raise typer.Exit(up.run(settings, output_language.choose(lang)))
    except binaries.EmbeddedError as error:
        bootstrap.fail(str(error))


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [default: RENEWALS_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [default: RENEWALS_PORT]")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of processes. [default: RENEWALS_WORKERS]", min=1, max=64)
    ] = None,
    drain_seconds: Annotated[
        float | None,
        typer.Option(help="Grace period in seconds after SIGTERM. [default: RENEWALS_DRAIN_SECONDS]", min=0),
    ] = None,
    is_for_operators: Annotated[
        bool, typer.Option("--operator", help="Serve the operator API only.")
    ] = False,
) -> None:
    """Serve the GraphQL API.

    RENEWALS_OPERATOR_API=true adds the operator API to the API of customers.
    With several processes, SIGHUP replaces them one at a time, and no request is lost.
    """
    from graphql_api.server import serve
    from renewals.observability import metrics

    settings = bootstrap.configure()
    bootstrap.required(lambda: settings.required_database_url)
    values = {"host": host, "port": port, "workers": workers, "drain_seconds": drain_seconds}
    settings = options.replace_settings(settings, values)
    bootstrap.check_servers(settings)
    try:
        with metrics.multiprocess_metrics(process_count=settings.workers if settings.metrics else 1):
            has_served = serve.run(settings, "create_for_operators" if is_for_operators else "create")
    except serve.AddressError as error:
        bootstrap.fail(str(error))
    if not has_served:
        raise typer.Exit(1)


def worker() -> None:
    """Run the worker.

    It renews due instances at its start and every hour, and delivers events to webhook endpoints.
    Every minute, it expires and releases instances, and sends reminders and warnings.
    """
    from workers import main

    settings = bootstrap.configure()
    bootstrap.required(lambda: (settings.required_database_url, settings.required_redis_url))
    bootstrap.run(main.run(settings))


def migrate() -> None:
    """Apply the migrations that the database lacks."""
    from renewals.db import migrate

    applied = bootstrap.run(migrate.migrate(options.required_database_url()))
    typer.echo("\n".join(f"applied {name}" for name in applied) or "up to date")
