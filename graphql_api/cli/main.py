"""The command line `renewals` with all of its commands.

Each command imports its packages only when it runs, because importing all packages would make `--help` slow.
"""

import importlib.metadata
from typing import Annotated

import typer

from graphql_api.cli import (
    clock_command,
    demo_command,
    forecast_command,
    import_command,
    key_commands,
    mcp_command,
    run_commands,
    schema_commands,
    server_commands,
    verify_command,
    webhooks_command,
)

app = typer.Typer(
    help="Renewal management for prepaid cloud instances.",
    no_args_is_help=True,
    # Rich would drop "[default: ...]" as markup, and the import of Rich would double the time of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"renewals {importlib.metadata.version('renewals')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Renewal management for prepaid cloud instances."""


app.command("up")(server_commands.up)
app.command("serve")(server_commands.serve)
app.command("worker")(server_commands.worker)
app.command("migrate")(server_commands.migrate)
app.command("demo")(demo_command.demo)
app.command("api-key")(key_commands.api_key)
app.command("operator-key")(key_commands.operator_key)
app.command("run-now")(run_commands.run_now)
app.command("runs")(run_commands.runs)
app.command("forecast")(forecast_command.forecast)
app.command("clock")(clock_command.clock)
app.command("webhooks")(webhooks_command.webhooks)
app.command("mcp")(mcp_command.mcp)
app.command("verify")(verify_command.verify)
app.command("schema")(schema_commands.schema)
app.command("graphiql-assets")(schema_commands.graphiql_assets)
app.add_typer(import_command.app, name="import")
